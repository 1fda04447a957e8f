"""The cards as they are known, by the real program that asks, over a stand-in for the driver's library."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.observe.gpu.freed import Freed
from llamaswap_py.observe.gpu.gpus import Gpus
from llamaswap_py.observe.gpu.link import Failed, Link, answer_of, command
from llamaswap_py.observe.gpu.shown import accelerators, component, figures
from llamaswap_py.observe.gpu.source import Source

FAKE = Path(__file__).resolve().parents[2] / "fakes" / "nvml"
GIB = 2**30
LONG = 30.0
CARD: dict[str, Any] = {"name": "Fake", "uuid": "GPU-1", "memory": [2 * GIB, 8 * GIB], "utilisation": 50}
Tell = Callable[..., None]


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tell:
    path = tmp_path / "nvml.json"
    monkeypatch.setenv("FAKE_NVML", str(path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAKE), *filter(None, [os.environ.get("PYTHONPATH")])]))

    def write(*cards: dict[str, Any], **more: Any) -> None:
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"cards": cards, **more}))
        new.replace(path)  # whoever reads meanwhile reads the whole of it

    return write


class Watch(Gpus):
    """Its clock stands where it is put; what is heard can be waited for."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.time = 1000.0
        super().__init__(self.said.append, clock=lambda: self.time, now=lambda: self.time)
        self.answers: list[Any] = []
        self.news = threading.Condition()

    def hear(self, kind: str, answer: dict[str, Any] | Failed) -> None:
        super().hear(kind, answer)
        with self.news:
            self.answers.append(answer)
            self.news.notify_all()

    def wait(self, enough: Callable[[], bool]) -> None:
        with self.news:
            assert self.news.wait_for(enough, LONG)

    def next(self) -> Any:
        """The answer to a look that begins now."""
        done = threading.Event()
        assert self.sources["nvidia"].look_now(done.set)
        assert done.wait(LONG)
        return self.answers[-1]


@pytest.fixture
def gpus(tell: Tell) -> Iterator[Watch]:
    """The interval is so long that only what a test orders is looked at."""
    tell(CARD)
    watch = Watch()
    yield watch
    watch.close()


def begin(gpus: Watch, every: float = 3600.0) -> None:
    gpus.adopt(every, "nvidia")
    gpus.wait(lambda: bool(gpus.answers))


def test_what_the_driver_says_is_known(gpus: Watch) -> None:
    begin(gpus)
    (known,) = gpus.known()
    assert (known.card.name, known.card.memory_used, known.stale, known.seen) == ("Fake", 2 * GIB, False, 1000.0)
    assert gpus.about["nvidia"] == {"driver_version": "550.54.15", "cuda_version": "12.4"}
    (sample,) = gpus.since(None)
    assert sample == {
        "timestamp": "1970-01-01T00:16:40Z", "id": 0, "name": "Fake", "uuid": "GPU-1", "temp_c": None,
        "vram_temp_c": None, "gpu_util_pct": 50.0, "mem_util_pct": 25.0, "mem_used_mb": 2048, "mem_total_mb": 8192,
        "fan_speed_pct": None, "power_draw_w": None,
    }  # fmt: skip
    assert gpus.since(datetime.fromtimestamp(1000, UTC)) == []


def test_who_says_nothing_for_two_intervals_is_stale(gpus: Watch) -> None:
    begin(gpus)
    gpus.time += 7200
    assert [known.stale for known in gpus.known()] == [False]
    gpus.time += 1
    assert [(known.stale, known.seen) for known in gpus.known()] == [(True, 1000.0)]
    assert gpus.fresh() == []


def test_a_driver_that_hangs_is_given_up_before_two_intervals_are_over(gpus: Watch, tell: Tell) -> None:
    """Its program is ended, what was known is stale and says since when; when the driver is back, so is the data."""
    begin(gpus, 1.0)
    link = gpus.sources["nvidia"].link
    assert link is not None
    tell(hang=True)
    gpus.wait(lambda: isinstance(gpus.answers[-1], Failed))
    (known,) = gpus.known()
    assert (known.stale, known.seen, known.why) == (True, 1000.0, "no answer within 0.5 s")
    assert gpus.said == ["the nvidia GPUs could not be read: no answer within 0.5 s"]
    assert link.over
    assert not gpus.sources["nvidia"].look_now()
    tell(CARD)
    gpus.wait(lambda: not isinstance(gpus.answers[-1], Failed))
    assert [known.stale for known in gpus.known()] == [False]
    assert gpus.troubles == {}


def test_a_card_that_vanishes_is_stale_and_the_other_is_not(gpus: Watch, tell: Tell) -> None:
    tell(CARD, {**CARD, "uuid": "GPU-2"})
    begin(gpus, 600.0)
    assert len(gpus.fresh()) == 2
    gpus.time += 5
    tell(CARD, {"lost": True})
    gpus.next()
    first, second = gpus.known()
    assert (first.stale, second.stale, second.seen, second.why) == (False, True, 1000.0, "NVML error 15")
    tell(CARD)
    gpus.time += 1300
    gpus.next()
    first, second = gpus.known()
    assert (first.stale, second.stale, second.why) == (False, True, "its tool does not name it any more")
    assert [card.uuid for card in gpus.fresh()] == ["GPU-1"]


def test_a_driver_that_is_unloaded_and_loaded_again(gpus: Watch, tell: Tell) -> None:
    begin(gpus, 0.4)
    tell(error=9)
    gpus.wait(lambda: "NVMLError: NVML error 9" in map(str, gpus.answers))
    tell(CARD)
    gpus.wait(lambda: not isinstance(gpus.answers[-1], Failed))


def test_nonsense_is_not_believed(gpus: Watch, tell: Tell) -> None:
    tell({**CARD, "utilisation": -3, "memory": [9 * GIB, 8 * GIB], "temperature": float("nan")})
    begin(gpus)
    (card,) = gpus.fresh()
    assert (card.utilisation, card.memory_used, card.temperature, card.memory_total) == (None, None, None, 8 * GIB)
    assert set(card.disbelieved) == {"utilisation", "temperature", "memory_used", "memory_free"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"Segmentation fault\n", "the answer is no JSON"),
        (b"[1]\n", "the answer has another shape"),
        (b'{"cards": 3}\n', "the answer has another shape"),
        (b'{"cards": [], "lost": {}}\n', "the answer has another shape"),
        (b"[" * 100_000 + b"\n", "the answer is no JSON"),
        (b'{"failed": "no"}\n', "no"),
    ],
)
def test_an_answer_of_another_shape_is_none(line: bytes, why: str) -> None:
    with pytest.raises(Failed, match=why):
        answer_of(line)


def test_a_program_that_ends_is_no_answer() -> None:
    link = Link([sys.executable, "-c", "input()"])
    with pytest.raises(Failed, match="ended"):
        link.ask(LONG)
    with pytest.raises(Failed, match="ended"):
        link.ask(LONG)
    link.end(LONG)
    assert link.over


def test_without_the_program_there_is_no_data(gpus: Watch) -> None:
    gpus.command = lambda _: ["/nowhere/at-all"]
    begin(gpus)
    assert isinstance(gpus.answers[0], Failed)
    assert (gpus.known(), list(gpus.troubles)) == ([], ["nvidia"])


def test_the_program_ends_with_whoever_asks_it_even_while_the_driver_hangs(tell: Tell) -> None:
    tell(hang=True)
    with subprocess.Popen(command("nvidia"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"look\n")
        process.stdin.close()
        assert process.wait(LONG) == 0


def test_switched_off_nothing_is_known_and_nothing_runs(gpus: Watch) -> None:
    begin(gpus)
    link = gpus.sources["nvidia"].link
    assert link is not None
    gpus.adopt(0.0)
    assert (gpus.known(), gpus.sources) == ([], {})
    assert link.process.wait(LONG) is not None


def test_the_memory_of_models(gpus: Watch, tell: Tell) -> None:
    """Of the processes of each; where the numbers are those of another namespace, it is not known."""
    mine = os.getpid()
    tell({**CARD, "processes": {str(mine): GIB}})
    begin(gpus)
    assert gpus.taken({"a": {mine, 1}, "b": {1}}) == {"a": GIB, "b": 0}
    tell({**CARD, "processes": {str(mine): GIB, "999999999": GIB}})
    gpus.next()
    assert gpus.taken({"a": {mine}, "b": {1}}) == {"a": GIB, "b": None}
    tell({**CARD, "errors": {"nvmlDeviceGetComputeRunningProcesses": 3}})
    gpus.next()
    assert gpus.taken({"a": {mine}}) == {"a": None}


async def test_a_dead_servers_memory_is_waited_for(gpus: Watch, tell: Tell) -> None:
    """Until the card no longer names any process of its tree."""
    leader = os.getpid()
    tell({**CARD, "processes": {str(leader): GIB}})
    begin(gpus)
    back = Freed(gpus).memory_back(leader)
    waiting = asyncio.get_running_loop().create_task(back)
    before = len(gpus.answers)
    await asyncio.to_thread(gpus.wait, lambda: len(gpus.answers) > before + 1)
    assert not waiting.done()
    tell(CARD)
    await asyncio.wait_for(waiting, LONG)
    assert gpus.fresh()[0].processes == {}


async def test_nobody_waits_for_a_tool_that_hangs_or_for_memory_that_was_never_seen(gpus: Watch, tell: Tell) -> None:
    tell({**CARD, "processes": {str(os.getpid()): GIB}})
    begin(gpus)
    await Freed(gpus).memory_back(1 << 30)
    tell(hang=True)
    await asyncio.wait_for(Freed(gpus).memory_back(os.getpid()), LONG)
    assert gpus.sources["nvidia"].looking_since is not None


def test_a_program_that_cannot_be_ended_has_no_successor(tell: Tell) -> None:
    """As where the driver holds it in the kernel."""
    tell(hang=True)

    class Unending(Link):
        @property
        def over(self) -> bool:
            return False

    source = Source("nvidia", command("nvidia"), 3600.0, print)
    source.link, source.failures = Unending([sys.executable, "-c", "input()"]), 1
    with pytest.raises(Failed, match="cannot be ended"):
        source.ask()
    source.link.end(LONG)
    assert source.link.process.poll() is not None


LIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.just("1"), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(["index", "name", "uuid", "memory_used", "memory_total", "processes", "temperature", "why"])
CARDS = st.lists(st.dictionaries(FIELDS, LIES | st.just(0)) | LIES, max_size=3)


@given(
    st.fixed_dictionaries({}, optional={"cards": CARDS, "lost": CARDS, "driver_version": LIES, "cuda_version": LIES})
)
def test_whatever_a_tool_says_whoever_hears_it_goes_on(told: dict[str, Any]) -> None:
    """The same of what is shown of it: nothing there fails, and all of it is JSON."""
    gpus = Gpus(print)
    gpus.every = 5.0
    gpus.sources["nvidia"] = Source("nvidia", [], 5.0, gpus.hear)
    try:
        answer: dict[str, Any] | Failed = answer_of(json.dumps(told).encode())
    except Failed as failure:
        answer = failure
    gpus.hear("nvidia", answer)
    known = gpus.known()
    shown = figures(known, gpus.taken({"a": {1}}), gpus.now()), accelerators(each.card for each in known)
    assert json.dumps([*shown, gpus.since(None), component(known, len(gpus.troubles))], allow_nan=False)
