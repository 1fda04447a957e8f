"""What our own pages are told beside llama-swap's messages, under event names of our own; and what one that comes back
has missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from llamaswap_py.observe.inflight import Flight
from llamaswap_py.observe.rows import Row
from llamaswap_py.observe.speeds import Speeds, past
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.feed import ConfigLoaded, ConfigRefused, Event, LoadProgressed, ModelChanged, RowsStored
from llamaswap_py.server import messages
from llamaswap_py.server.audience import Message, Tell
from llamaswap_py.server.finished import shown
from llamaswap_py.server.flights import Flights
from llamaswap_py.server.recording import Recordings
from llamaswap_py.server.remembered import Remembered
from llamaswap_py.server.sampling import Sampling
from llamaswap_py.server.standings import Standings

if TYPE_CHECKING:
    from llamaswap_py.server.shapes.machine import Sample
    from llamaswap_py.server.shapes.requests import Activity

MOST_ROWS = 200  # in one message; beyond it a page asks for the list
NOTICED = 0.01  # of a model's memory, the smallest change that its row is told for


class Wakeful(Protocol):
    """What tells one type, while somebody wants it."""

    is_open: bool

    def open(self) -> None: ...
    def close(self) -> None: ...


class Part(Wakeful, Protocol):
    def opening(self) -> bytes: ...


class Own:
    """`tell` reaches the pages, where there are any."""

    def __init__(self, conductor: Conductor, recordings: Recordings, tell: Tell, keeper: Callable[[], int]) -> None:
        self.conductor = conductor
        self.recorder, self.inflight = recordings.recorder, recordings.inflight
        self.tell = tell
        self.remembered = Remembered()
        self.standings = Standings(conductor, tell)
        self.sampling = Sampling(self.leaders, keeper, self.measured)
        self.speeds: Speeds | None = None  # None: they were not asked for yet
        self.asking: asyncio.Future[dict[str, list[float]]] | None = None
        self.flights = Flights(recordings.inflight, tell)
        self.parts: dict[str, Part] = {}  # more, by the type that they tell
        self.wants: Callable[[str], bool] = lambda _: False

    # -- its life

    def settle(self, wants: Callable[[str], bool]) -> None:
        """Nothing is looked at that nobody wants."""
        ours: dict[str, Wakeful] = {"standings": self.standings, "machine": self.sampling, "flights": self.flights}
        for kind, part in (*ours.items(), *self.parts.items()):
            if wants(kind) and not part.is_open:
                part.open()
            elif part.is_open and not wants(kind):
                part.close()
        self.wants = wants
        self.inflight.touched = self.touch if self.standings.is_open or self.flights.is_open else None
        if not self.standings.is_open:
            self.speeds = None
        elif self.speeds is None and self.asking is None:
            self.ask_speeds()

    def ask_speeds(self) -> None:
        models = tuple(self.conductor.config.models)
        self.asking = self.recorder.ask(lambda store: past(store, models))
        self.asking.add_done_callback(self.know_speeds)

    def touch(self, flight: Flight) -> None:
        """It came, went, or its answer has begun."""
        self.standings.touch(near=True)
        self.flights.touch(flight)

    # -- what there is to tell

    def hear(self, event: Event) -> None:
        match event:
            case ModelChanged():
                self.remembered.add_swap(event)
                if self.wants("swap"):
                    self.tell(Message(messages.swap(event, self.remembered.name), "swap"))
                self.standings.touch()
            case LoadProgressed():
                self.standings.touch(near=True)
            case ConfigLoaded() | ConfigRefused():
                self.standings.touch()
                if self.wants("rules"):
                    self.tell(Message(messages.rules(self.standings.rules), "rules"))
            case RowsStored(ids, rows):
                self.remembered.add_rows(ids, rows)
                if self.wants("finished"):
                    new = list(zip(ids, rows, strict=True))
                    self.tell(Message(self.rows(new), "finished", self.gap))
                if self.speeds is not None and (models := self.speeds.see(rows)):
                    self.learn(models)

    def rows(self, rows: Sequence[tuple[int, Row]], gap: bool = False) -> bytes:
        told: list[Activity] = [
            shown(row._replace(id=number), number in self.recorder.captures) for number, row in rows[-MOST_ROWS:]
        ]
        return messages.finished(told, gap or len(rows) > MOST_ROWS, self.remembered.name)

    def gap(self) -> bytes:
        return messages.finished([], True, self.remembered.name)

    def know_speeds(self, asked: asyncio.Future[dict[str, list[float]]]) -> None:
        self.asking = None
        if not asked.cancelled() and asked.exception() is None and self.standings.is_open:
            self.speeds = Speeds(asked.result())
            self.learn(asked.result())

    def learn(self, models: Iterable[str]) -> None:
        """Their speed may differ from what was told."""
        assert self.speeds is not None
        known = {model: speed for model in models if (speed := self.speeds.of(model)) is not None}
        self.standings.speeds = {**self.standings.speeds, **known}
        self.standings.touch(known, near=True)

    # -- the machine

    def leaders(self) -> Mapping[str, int]:
        runs = self.conductor.runs.values()
        return {run.model.id: run.child.pid for run in runs if run.child is not None and not run.child.ended.done()}

    def measured(self, sample: Sample) -> None:
        self.tell(Message(messages.machine([sample]), "machine"))
        before = self.standings.memory
        now = {name: each["memory"] for name, each in sample["models"].items()}
        moved = {name for name in now if abs(now[name] - before.get(name, 0)) > NOTICED * now[name]}
        self.standings.memory = {name: now[name] if name in moved else before.get(name, 0) for name in now}
        self.standings.touch(moved, near=True)

    # -- who comes

    def opening(self, last: str, without: Collection[str]) -> Iterator[bytes]:
        """One of it always has a name: whoever comes back says what it heard last, and is told what followed."""
        if "flights" not in without:
            yield self.flights.whole()
        if "machine" not in without:
            yield self.sampling.history()
        if "standings" not in without:
            yield self.standings.whole()
        yield from (part.opening() for kind, part in self.parts.items() if kind not in without)
        yield messages.rules(self.standings.rules, self.remembered.name)
        missed = self.remembered.after(last)
        for name, change in missed.swaps:
            yield messages.swap(change, name)
        if (missed.rows or missed.gap) and "finished" not in without:
            yield self.rows(missed.rows, missed.gap)
