"""The cards as they are known now: what each tool said last, since when it says nothing, and the last hour of it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psutil

from llamaswap_py.observe.gpu.card import Card, believed
from llamaswap_py.observe.gpu.link import Failed, command
from llamaswap_py.observe.gpu.present import AUTO, wanted
from llamaswap_py.observe.gpu.source import Source
from llamaswap_py.observe.performance import KEPT_SECONDS, MIB, Sample

LOOK_FOR_NEW_SECONDS = 60.0  # a driver may be loaded after us


class Known(NamedTuple):
    card: Card
    seen: float  # unix seconds
    stale: bool  # nobody has said so for two intervals, or somebody says that it is gone
    why: str = ""  # it is stale


class Kept(NamedTuple):
    card: Card
    seen: float
    at: float  # by the clock that only goes forward


class Gpus:
    """`adopt` says how often, and of which kinds, or never; it may be called again. Reading waits for nobody.

    `say` hears what went wrong, from another thread."""

    def __init__(
        self,
        say: Callable[[str], object],
        command: Callable[[str], Sequence[str]] = command,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.say = say
        self.command = command
        self.clock = clock
        self.now = now
        self.every = 0.0  # 0: not at all
        self.choice = AUTO
        self.sources: dict[str, Source] = {}
        self.kept: dict[tuple[str, str], Kept] = {}
        self.troubles: dict[str, str] = {}  # of each kind, why nothing is known
        self.lost: dict[tuple[str, int], str] = {}  # of each card, why its tool cannot read it
        self.about: dict[str, dict[str, str | None]] = {}  # versions, by kind
        self.samples: deque[Sample] = deque()
        self.lineages: dict[int, frozenset[int]] = {}  # of processes on cards: themselves and whom they come from
        self.lock = threading.Lock()
        self.stop = threading.Event()

    def adopt(self, every: float, choice: str = AUTO) -> None:
        if (every, choice) == (self.every, self.choice):
            return
        self.close()
        self.every, self.choice = every, choice
        if every:
            self.stop = threading.Event()
            threading.Thread(target=self.find_on, args=(self.stop,), name="gpus", daemon=True).start()

    def find_on(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.find(stop)
            stop.wait(LOOK_FOR_NEW_SECONDS)

    def find(self, stop: threading.Event) -> None:
        for kind in wanted(self.choice):
            with self.lock:
                if kind not in self.sources and not stop.is_set():
                    source = self.sources[kind] = Source(kind, self.command(kind), self.every, self.hear)
                    source.begin()

    def close(self) -> None:
        """What was known is forgotten: nobody would say when it is no longer so."""
        self.stop.set()
        with self.lock:
            sources, self.sources = self.sources, {}
            for known in (self.kept, self.troubles, self.lost, self.about, self.lineages):
                known.clear()
        for source in sources.values():
            source.close()

    # -- what the tools say

    def hear(self, kind: str, answer: dict[str, Any] | Failed) -> None:
        if isinstance(answer, Failed):
            if self.troubles.get(kind) != str(answer):
                self.say(f"the {kind} GPUs could not be read: {answer}")
            self.troubles[kind] = str(answer)
            return
        told = [each for each in answer.get("cards", ()) if isinstance(each, Mapping)]
        cards = [card for each in told if (card := believed(kind, each)) is not None]
        lines = {pid: self.lineages.get(pid) or lineage(pid) for card in cards for pid in card.processes or ()}
        with self.lock:
            if kind in self.sources:
                self.troubles.pop(kind, None)
                self.keep(kind, answer, cards)
                listed = {pid for each in self.kept.values() for pid in each.card.processes or ()}
                self.lineages = {pid: line for pid, line in (self.lineages | lines).items() if pid in listed}

    def keep(self, kind: str, answer: Mapping[str, Any], cards: Collection[Card]) -> None:
        now, at = self.now(), self.clock()
        self.about[kind] = {name: text(answer.get(name)) for name in ("driver_version", "cuda_version")}
        lost = [each for each in answer.get("lost", ()) if isinstance(each, Mapping)]
        self.lost = {key: why for key, why in self.lost.items() if key[0] != kind}
        self.lost |= {
            (kind, each["index"]): str(each.get("why")) for each in lost if isinstance(each.get("index"), int)
        }
        self.kept |= {card.key: Kept(card, now, at) for card in cards}
        self.kept = {key: kept for key, kept in self.kept.items() if at - kept.at < KEPT_SECONDS}
        when = datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
        self.samples.extend(sample(card, when) for card in cards)
        oldest = datetime.fromtimestamp(now - KEPT_SECONDS, UTC)
        while self.samples and datetime.fromisoformat(self.samples[0]["timestamp"]) < oldest:
            self.samples.popleft()

    # -- what is known

    def known(self) -> list[Known]:
        with self.lock:
            kept = sorted(self.kept.values(), key=lambda each: (each.card.kind, each.card.number))
            return [self.standing(each) for each in kept]

    def standing(self, kept: Kept) -> Known:
        card = kept.card
        old = self.clock() - kept.at > 2 * self.every
        why = self.troubles.get(card.kind) or self.lost.get((card.kind, card.number)) or ""
        return Known(card, kept.seen, old or bool(why), why or ("its tool does not name it any more" if old else ""))

    def fresh(self) -> list[Card]:
        return [each.card for each in self.known() if not each.stale]

    def since(self, moment: datetime | None) -> list[Sample]:
        with self.lock:
            samples = list(self.samples)
        return [each for each in samples if moment is None or datetime.fromisoformat(each["timestamp"]) > moment]

    def taken(self, trees: Mapping[str, Collection[int]]) -> dict[str, int | None]:
        """The cards' memory of each model, by its processes; None where the tools do not say, or speak of processes by
        numbers that mean nothing here (of a container's host)."""
        lists = [card.processes for card in self.fresh() if card.processes is not None]
        if not lists:
            return dict.fromkeys(trees)
        foreign = any(not psutil.pid_exists(pid) for each in lists for pid in each)
        sums = {model: sum(each.get(pid, 0) for each in lists for pid in pids) for model, pids in trees.items()}
        return {model: None if foreign and not taken else taken for model, taken in sums.items()}

    def look_soon(self) -> None:
        for source in tuple(self.sources.values()):
            source.look_now()


def text(value: object) -> str | None:
    return value[:100] if isinstance(value, str) else None


def lineage(pid: int) -> frozenset[int]:
    try:
        return frozenset([pid, *(each.pid for each in psutil.Process(pid).parents())])
    except psutil.Error:  # it has ended, or is none of this namespace
        return frozenset([pid])


def sample(card: Card, when: str) -> Sample:
    """With llama-swap's names."""
    used, total = card.memory_used, card.memory_total
    return {
        "timestamp": when,
        "id": card.number,
        "name": card.name,
        "uuid": card.uuid or "",
        "temp_c": card.temperature,
        "vram_temp_c": card.vram_temperature,
        "gpu_util_pct": card.utilisation,
        "mem_util_pct": card.memory_percent,
        "mem_used_mb": None if used is None else used // MIB,
        "mem_total_mb": None if total is None else total // MIB,
        "fan_speed_pct": card.fan,
        "power_draw_w": card.power,
    }
