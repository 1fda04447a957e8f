"""What might be set otherwise, from what was counted and measured: each piece of advice with its figures. Pure.

No advice is given of what is not known; a rule is a function from the evidence to what it says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

GIB = 2**30
HIGH, MEDIUM, LOW = "high", "medium", "low"
COSTS = {HIGH: 25, MEDIUM: 10, LOW: 5}  # of a hundred

LOST_TO_SWAPS = 0.1  # of the time
FEWEST_SWAPS = 3
FEWEST_RELOADS = 3  # after an end for idleness
FULL, EMPTY = 90.0, 50.0  # percent of memory
TOO_HOT, WARM = 85.0, 80.0  # degrees Celsius
IDLE_GPU = 50.0  # percent of use, while requests were served
LONG_WAIT = 1.0  # seconds in the queue, in the mean
FEWEST_WAITS = 5
HEADROOM = 1.25  # of the larger file: its context needs room, too
# Bits a weight of the usual quantisations, about.
BITS = {"Q2_K": 2.6, "Q3_K_M": 3.9, "Q4_0": 4.5, "Q4_K_M": 4.8, "Q5_K_M": 5.7, "Q6_K": 6.6, "Q8_0": 8.5}


class OfModel(NamedTuple):
    """One model, counted from the program's start."""

    name: str
    ttl: float = 0.0  # seconds; 0: none
    starts: int = 0
    idle_ends: int = 0
    evictions: int = 0
    load_seconds: float = 0.0  # of one load, in the mean
    waits: int = 0  # requests that sat down
    wait_seconds: float = 0.0  # they waited for a seat, in the mean
    swap_seconds: float = 0.0
    quantisation: str = ""
    parameters: int = 0
    size: int = 0  # bytes of its files


class OfCard(NamedTuple):
    name: str
    memory_used: int | None = None
    memory_total: int | None = None
    temperature: float | None = None
    busy: float | None = None  # percent, in the mean of the last hour


class Evidence(NamedTuple):
    seconds: float  # since the start
    models: Sequence[OfModel] = ()
    cards: Sequence[OfCard] = ()
    memory_used: int | None = None  # bytes, of the machine
    memory_total: int | None = None
    swap_used: int = 0  # bytes
    requests: int = 0


class Advice(NamedTuple):
    id: str
    priority: str
    category: str  # performance, stability, cost, scaling
    title: str
    recommendation: str
    figures: Mapping[str, Any]
    model: str = ""

    def row(self) -> dict[str, Any]:
        return {name: value for name, value in self._asdict().items() if name != "model" or value}


Rule = Callable[[Evidence], Iterator[Advice]]


def thrashing(at: Evidence) -> Iterator[Advice]:
    lost = sum(model.swap_seconds for model in at.models)
    evictions = {model.name: model.evictions for model in at.models if model.evictions}
    if at.seconds <= 0 or sum(evictions.values()) < FEWEST_SWAPS or lost / at.seconds < LOST_TO_SWAPS:
        return
    yield Advice(
        "model-thrash", HIGH, "performance", "Models take turns too often",
        "Let those that fit together stay together (a group with `swap: false`, or a matrix), let a model stay for a"
        " while (`minResidency`), or let callers of one model finish first (`patience`).",
        {"seconds_lost_to_swaps": round(lost, 1), "of_seconds": round(at.seconds, 1), "evictions": evictions},
    )  # fmt: skip


def short_ttl(at: Evidence) -> Iterator[Advice]:
    for model in at.models:
        again = min(model.idle_ends, model.starts - 1)
        if model.ttl and again >= FEWEST_RELOADS:
            yield Advice(
                "ttl-too-short", MEDIUM, "performance", f"{model.name} is unloaded and loaded again",
                f"Callers came back after its `ttl` of {model.ttl:g} s and waited for the load. A longer one, or 0,"
                " spares them that, if its memory is not needed meanwhile.",
                {"ttl_seconds": model.ttl, "ended_for_idleness": model.idle_ends, "loaded_again": again,
                 "load_seconds_mean": round(model.load_seconds, 2)},
                model.name,
            )  # fmt: skip


def full_memory(at: Evidence) -> Iterator[Advice]:
    if at.memory_used is not None and at.memory_total:
        percent = 100 * at.memory_used / at.memory_total
        if percent >= FULL:
            yield Advice(
                "memory-nearly-full", HIGH, "stability", "The machine's memory is nearly full",
                "A smaller context (`--ctx-size`), a quantised cache (`--cache-type-k q8_0`), fewer models at once, or"
                " a shorter `ttl`.",
                {"used_bytes": at.memory_used, "total_bytes": at.memory_total, "percent": round(percent, 1),
                 "swap_used_bytes": at.swap_used},
            )  # fmt: skip
    for card in at.cards:
        if card.memory_used is None or not card.memory_total:
            continue
        percent = 100 * card.memory_used / card.memory_total
        if percent >= FULL:
            yield Advice(
                "gpu-memory-nearly-full", HIGH, "stability", f"The memory of {card.name} is nearly full",
                "A smaller context, a quantised cache, or fewer layers on the card (`--n-gpu-layers`): the next long"
                " prompt may find no room.",
                {"used_bytes": card.memory_used, "total_bytes": card.memory_total, "percent": round(percent, 1)},
            )  # fmt: skip


def hot(at: Evidence) -> Iterator[Advice]:
    for card in at.cards:
        if card.temperature is not None and card.temperature >= WARM:
            yield Advice(
                "gpu-hot", HIGH if card.temperature >= TOO_HOT else MEDIUM, "stability", f"{card.name} is hot",
                "Look at its fans and its air, or let it draw less power: a card that is too hot computes slower.",
                {"temperature_celsius": card.temperature},
            )  # fmt: skip


def queues(at: Evidence) -> Iterator[Advice]:
    for model in at.models:
        if model.waits >= FEWEST_WAITS and model.wait_seconds >= LONG_WAIT:
            yield Advice(
                "queue-waits", MEDIUM, "performance", f"Callers of {model.name} wait for a seat",
                "More slots in its server (`--parallel`) and more `seats` or a higher `concurrencyLimit` here, or a"
                " second model under a selector.",
                {"requests": model.waits, "wait_seconds_mean": round(model.wait_seconds, 2)},
                model.name,
            )  # fmt: skip


def idle_cards(at: Evidence) -> Iterator[Advice]:
    waiting = [model.name for model in at.models if model.waits >= FEWEST_WAITS and model.wait_seconds >= LONG_WAIT]
    for card in at.cards:
        if waiting and card.busy is not None and card.busy < IDLE_GPU:
            yield Advice(
                "gpu-underused", MEDIUM, "performance", f"{card.name} is not busy while callers wait",
                "A larger batch (`--batch-size`, `--ubatch-size`), more slots (`--parallel`), or all layers on the card"
                " (`--n-gpu-layers 999`).",
                {"utilisation_percent_mean": round(card.busy, 1), "models_waited_for": waiting},
            )  # fmt: skip


def quantisation(at: Evidence) -> Iterator[Advice]:
    """By the memory of all cards together, and of the machine where there is none."""
    totals = [card.memory_total for card in at.cards if card.memory_total] or [at.memory_total or 0]
    room = sum(totals)
    for model in at.models:
        if not model.size or not model.parameters or not room:
            continue
        if model.size > room:
            yield Advice(
                "model-too-large", HIGH, "performance", f"{model.name} is larger than the memory there is for it",
                "A smaller quantisation or a smaller model: what does not fit is computed elsewhere, much slower.",
                {"model_bytes": model.size, "memory_bytes": room, "quantisation": model.quantisation},
                model.name,
            )  # fmt: skip
        elif better := larger(model, room):
            name, size = better
            yield Advice(
                "quantisation-headroom", LOW, "performance", f"{model.name} would fit with less loss",
                f"There is room for {name}, which answers a little better, somewhat slower.",
                {"quantisation": model.quantisation, "model_bytes": model.size, "memory_bytes": room,
                 "suggested": name, "suggested_bytes_about": size},
                model.name,
            )  # fmt: skip


def larger(model: OfModel, room: int) -> tuple[str, int] | None:
    """The largest of the usual ones that leaves room, where it is much larger than the one in use."""
    if model.quantisation.upper() not in BITS:
        return None
    sizes = {name: int(model.parameters * bits / 8) for name, bits in BITS.items()}
    fits = [(name, size) for name, size in sizes.items() if size * HEADROOM <= room and size > 1.3 * model.size]
    return max(fits, key=lambda each: each[1], default=None)


RULES: tuple[Rule, ...] = (thrashing, short_ttl, full_memory, hot, queues, idle_cards, quantisation)


def advice(at: Evidence) -> list[Advice]:
    """The most urgent first."""
    found = [each for rule in RULES for each in rule(at)]
    return sorted(found, key=lambda each: -COSTS[each.priority])


def score(found: Sequence[Advice]) -> int:
    """A hundred, less what each piece of advice costs by its urgency."""
    return max(0, 100 - sum(COSTS[each.priority] for each in found))
