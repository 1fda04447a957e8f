"""What the running house announces: typed events to whoever listens. Publishing never waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from llamaswap_py.runtime.estimate import Progress
from llamaswap_py.schedule.orders import Decision
from llamaswap_py.schedule.plan import Phase

log = structlog.get_logger("feed")


class ModelChanged(msgspec.Struct, frozen=True):
    """A model entered a phase; `why` says what for where that is known."""

    model: str
    run: int
    phase: Phase
    why: str = ""
    seconds: float = 0.0  # how long the phase before it took
    decision: Decision | None = None  # of an eviction
    over: bool = False  # the run of that number has ended,
    code: str = ""  # by this failure, if it was one


class LoadProgressed(msgspec.Struct, frozen=True):
    """A load was looked at; about once a second."""

    model: str
    run: int
    progress: Progress


class ConfigLoaded(msgspec.Struct, frozen=True):
    """A new configuration is in force. `mistakes` are those that disabled a model only."""

    models: tuple[str, ...]
    mistakes: tuple[str, ...] = ()


class ConfigRefused(msgspec.Struct, frozen=True):
    """A change was read and turned down; the old configuration serves on."""

    mistakes: tuple[str, ...]


class RowsStored(msgspec.Struct, frozen=True):
    """Finished requests were written down: their numbers, and the rows as the records have them."""

    ids: Sequence[int]
    rows: Sequence[Any]


class PullChanged(msgspec.Struct, frozen=True):
    """A download got further; its row as the API shows it."""

    row: Mapping[str, Any]


class AlertChanged(msgspec.Struct, frozen=True):
    """An alert began, changed or is over; its row as the API shows it."""

    row: Mapping[str, Any]


class BenchmarkChanged(msgspec.Struct, frozen=True):
    """A benchmark by order got further; its row as the API shows it."""

    row: Mapping[str, Any]


News = PullChanged | AlertChanged | BenchmarkChanged  # that have rows of the API
Event = ModelChanged | LoadProgressed | ConfigLoaded | ConfigRefused | RowsStored | News
Listener = Callable[[Event], None]


class Feed:
    def __init__(self) -> None:
        self.listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Returns the function that ends the subscription; it may be called twice."""
        self.listeners.append(listener)

        def leave() -> None:
            if listener in self.listeners:
                self.listeners.remove(listener)

        return leave

    def publish(self, event: Event) -> None:
        for listener in tuple(self.listeners):
            try:
                listener(event)
            except Exception:
                # Whoever announces is in the middle of its own work: an order not carried out would be lost for ever.
                log.exception(f"a listener failed at {type(event).__name__}")
