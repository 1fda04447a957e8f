"""What befalls the models' servers, counted as the house announces it: starts, ends, loads, evictions."""

from __future__ import annotations

from collections.abc import Callable

from llamaswap_py.observe.scores import Score, Scores
from llamaswap_py.runtime.causes import out_of_memory
from llamaswap_py.runtime.feed import Event, Feed, ModelChanged
from llamaswap_py.schedule.plan import Phase

# Why a server is stopped, as the scheduler says it; whom it makes room for is not told.
REASONS = ("evicted", "idle", "unloaded", "replaced", "removed", "closed")


class Happenings:
    def __init__(self, feed: Feed, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.reasons: dict[str, str] = {}  # by model, of the stop under way
        self.failed: set[str] = set()  # those whose last run was
        self.swapping: dict[str, float] = {}  # since when room is made for a model
        self.kept = Scores(
            "llamaswap_model_starts_total",
            "llamaswap_model_restarts_total",
            "llamaswap_model_load_seconds",
            "llamaswap_model_exits_total",
            "llamaswap_evictions_total",
            "llamaswap_swap_seconds_total",
            "llamaswap_out_of_memory_total",
        )
        feed.subscribe(self.hear)

    def scores(self) -> list[Score]:
        return self.kept.scores()

    def swapping_seconds(self) -> float:
        return sum(self.kept.values["llamaswap_swap_seconds_total"].values())

    def restarts(self) -> dict[str, float]:
        return {model: count for (model,), count in self.kept.values["llamaswap_model_restarts_total"].items()}

    def hear(self, event: Event) -> None:
        match event:
            case ModelChanged(over=True):
                self.over(event)
            case ModelChanged(phase=Phase.STARTING, model=model):
                self.kept.add("llamaswap_model_starts_total", (model,))
                if model in self.failed:
                    self.kept.add("llamaswap_model_restarts_total", (model,))
            case ModelChanged(phase=Phase.READY):
                self.ready(event)
            case ModelChanged(phase=Phase.STOPPING):
                self.stopping(event)

    def ready(self, event: ModelChanged) -> None:
        self.failed.discard(event.model)
        self.kept.see("llamaswap_model_load_seconds", (event.model,), event.seconds)
        began = self.swapping.pop(event.model, None)
        if began is not None:
            self.kept.add("llamaswap_swap_seconds_total", (event.model,), self.clock() - began)

    def stopping(self, event: ModelChanged) -> None:
        word = event.why.partition(" ")[0]
        self.reasons[event.model] = word if word in REASONS else "other"
        decision = event.decision
        if decision is not None:
            self.kept.add("llamaswap_evictions_total", (event.model, decision.rule))
            self.swapping.setdefault(decision.wanted, self.clock())

    def over(self, event: ModelChanged) -> None:
        model, reason = event.model, self.reasons.pop(event.model, "other")
        self.kept.add("llamaswap_model_exits_total", (model, event.code or reason))
        if not event.code:
            return
        self.failed.add(model)
        self.swapping.pop(model, None)
        if out_of_memory(event.why):
            self.kept.add("llamaswap_out_of_memory_total", (model,))
