"""One owner per listen address; a dead one's record is found, a living one's is respected."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from llamaswap_py.daemon.leftovers import clear
from llamaswap_py.daemon.state import InUse, State, default_directory
from llamaswap_py.keeper import trees


def test_the_state_directory_follows_the_environment() -> None:
    assert default_directory({"LLAMASWAP_STATE": "/s"}) == Path("/s")
    if sys.platform == "linux":
        assert default_directory({"XDG_STATE_HOME": "/x", "HOME": "/h"}) == Path("/x/llamaswap")
        assert default_directory({"HOME": "/h"}) == Path("/h/.local/state/llamaswap")
        assert default_directory({}).is_absolute()


def test_only_one_may_own_an_address(tmp_path: Path) -> None:
    first, second, elsewhere = (State(tmp_path / "s", listen) for listen in ("a:1", "a:1", "a:2"))
    assert first.take() is None
    first.write({"pid": 4711, "token": "t"})
    with pytest.raises(InUse, match="4711"):
        second.take()
    assert elsewhere.take() is None
    elsewhere.release()
    first.release()
    assert second.take() is None, "a clean end leaves nothing to clear"
    second.release()


def test_the_directory_is_nobody_elses_business(tmp_path: Path) -> None:
    state = State(tmp_path / "deep" / "s", "[::1]:8080")
    state.take()
    assert stat.S_IMODE((tmp_path / "deep" / "s").stat().st_mode) == 0o700
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o600
    state.release()


def test_a_dead_owners_mark_is_found(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from llamaswap_py.daemon.state import State\n"
        "state = State(Path(sys.argv[1]), 'a:1'); state.take(); state.write({'pid': 1, 'token': 'old'})"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path], check=True)
    state = State(tmp_path, "a:1")
    assert state.take() == "old"
    state.release()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"token": 7}'])
def test_a_record_that_makes_no_sense_is_no_record(tmp_path: Path, text: str) -> None:
    state = State(tmp_path, "a:1")
    state.path.write_text(text)
    assert state.take() is None
    state.release()


def test_what_a_dead_owner_left_running_is_ended_and_nothing_else() -> None:
    key, _, value = trees.mark("deadbeef", 1).partition("=")
    sleeper = [sys.executable, "-c", "input()"]
    ours = subprocess.Popen(sleeper, stdin=subprocess.PIPE, env={**os.environ, key: value})
    other = subprocess.Popen(sleeper, stdin=subprocess.PIPE)
    with ours, other:
        asyncio.run(clear("deadbeef"))
        assert ours.wait(10) == -9
        assert other.poll() is None
        asyncio.run(clear("deadbeef"))
        other.terminate()
        other.wait(10)
