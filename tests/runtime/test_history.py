"""What loads took, from one start of the program to the next."""

from __future__ import annotations

import asyncio
from pathlib import Path

from llamaswap_py.runtime.estimate import Past
from llamaswap_py.runtime.history import KEPT, History


def test_what_was_written_is_known_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "loads.json"
    history = History(path)
    history.remember(("serve", 1), 2.5, 100)
    history.remember(("serve", 1), 3.5, 200)
    history.write()
    assert History(path).past(("serve", 1)) == Past((2.5, 3.5), (100, 200))
    assert History(path).past(("serve", 2)) == Past()
    assert [each.name for each in tmp_path.iterdir()] == ["loads.json"]


def test_the_file_holds_nothing_of_the_command(tmp_path: Path) -> None:
    history = History(tmp_path / "loads.json")
    history.remember(("serve", "--api-key", "sk-secret"), 1.0, 1)
    history.write()
    assert b"secret" not in (tmp_path / "loads.json").read_bytes()


async def test_what_comes_while_a_load_waits_for_the_disk_is_kept_with_it(tmp_path: Path) -> None:
    path = tmp_path / "loads.json"
    history = History(path)
    history.remember("a", 1.0, 1)
    first, second = asyncio.ensure_future(history.keep()), asyncio.ensure_future(history.keep())
    done, _ = await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
    assert done == {second}
    assert not path.exists()
    history.remember("b", 2.0, 1)
    first.cancel()  # the program ends
    await asyncio.wait([first])
    assert [History(path).past(name).seconds for name in "ab"] == [(1.0,), (2.0,)]


def test_a_spoilt_file_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "loads.json"
    for content in (b"", b"{", b"[1]", b'{"a": {"seconds": "x"}}'):
        path.write_bytes(content)
        assert History(path).loads == {}


def test_the_oldest_are_forgotten() -> None:
    history = History()
    for number in range(KEPT + 5):
        history.remember(number, 1.0, 1)
    history.remember(5, 1.0, 1)
    assert len(history.loads) == KEPT
    assert history.past(4) == Past()
    assert history.past(5).seconds == (1.0, 1.0)
    history.write()


def test_a_folder_that_cannot_be_written_to_costs_the_history_only(tmp_path: Path) -> None:
    history = History(tmp_path / "missing" / "loads.json")
    history.remember("a", 1.0, 1)
    history.write()
    assert history.past("a").seconds == (1.0,)
