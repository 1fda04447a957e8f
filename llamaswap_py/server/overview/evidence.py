"""From counts, samples and cards to what the health and the advice go by. Values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.observe.insight.advice import Evidence, OfCard, OfModel
from llamaswap_py.observe.insight.health import Vitals
from llamaswap_py.observe.lately import Lately
from llamaswap_py.observe.performance import MIB, Sample
from llamaswap_py.observe.scores import Score
from llamaswap_py.server.overview.models import KnownModel

FRESH_SECONDS = 60.0  # an older measurement, where the interval is no longer, tells of then


def vitals(lately: Lately, sample: Sample | None, cards: Iterable[Card], alerts: int) -> Vitals:
    """`sample`: the machine's last, if it is of now."""
    cores: Sequence[float] = sample["cpu_util_per_core"] if sample else ()
    hottest = max((card.temperature for card in cards if card.temperature is not None), default=None)
    return Vitals(
        cpu=sum(cores) / len(cores) if cores else None,
        memory=100 * sample["mem_used_mb"] / sample["mem_total_mb"] if sample and sample["mem_total_mb"] else None,
        gpu=hottest,
        errors=100 * lately.failed / lately.finished if lately.finished else None,
        response=None if lately.first_byte is None else 1000 * lately.first_byte,
        alerts=alerts,
    )


def current(sample: Sample | None, every: float, now: float) -> Sample | None:
    """None where it is too old to tell of now."""
    if sample is None:
        return None
    age = now - datetime.fromisoformat(sample["timestamp"]).timestamp()
    return sample if age <= max(3 * every, FRESH_SECONDS) else None


class Counted:
    """Scores by name, asked for one model."""

    def __init__(self, scores: Iterable[Score]) -> None:
        self.by_name = {score.metric.name: score for score in scores}

    def sum(self, name: str, model: str, *more: str) -> float:
        values = self.by_name[name].values
        return sum(n for labels, n in values.items() if labels[0] == model and labels[1:][: len(more)] == more)

    def spread(self, name: str, model: str) -> tuple[int, float]:
        """How many, and their mean."""
        counts, total = self.by_name[name].spreads.get((model,), ((), 0.0))
        number = sum(counts)
        return number, total / number if number else 0.0

    def requests(self) -> int:
        return int(sum(self.by_name["llamaswap_requests_total"].values.values()))


def of_model(known: KnownModel, counted: Counted) -> OfModel:
    name = known.model.id
    waits, wait = counted.spread("llamaswap_queue_wait_seconds", name)
    return OfModel(
        name,
        ttl=known.model.ttl,
        starts=int(counted.sum("llamaswap_model_starts_total", name)),
        idle_ends=int(counted.sum("llamaswap_model_exits_total", name, "idle")),
        evictions=int(counted.sum("llamaswap_evictions_total", name)),
        load_seconds=counted.spread("llamaswap_model_load_seconds", name)[1],
        waits=waits,
        wait_seconds=wait,
        swap_seconds=counted.sum("llamaswap_swap_seconds_total", name),
        quantisation=known.described.quantisation or known.said.quantisation,
        parameters=known.described.parameters,
        size=known.described.size,
    )


def of_card(card: Card, samples: Iterable[Sample]) -> OfCard:
    """`samples`: of the last hour."""
    mine = [each["gpu_util_pct"] for each in samples if (each["uuid"], each["id"]) == (card.uuid or "", card.number)]
    known = [value for value in mine if value is not None]
    busy = sum(known) / len(known) if known else None
    return OfCard(card.name, card.memory_used, card.memory_total, card.temperature, busy)


def evidence(
    seconds: float, counted: Counted, models: Iterable[KnownModel], cards: Iterable[OfCard], sample: Sample | None
) -> Evidence:
    memory = {} if sample is None else in_bytes(sample)
    found = [of_model(each, counted) for each in models]
    return Evidence(seconds, found, list(cards), **memory, requests=counted.requests())


def in_bytes(sample: Sample) -> Mapping[str, int]:
    names = {"memory_used": "mem_used_mb", "memory_total": "mem_total_mb", "swap_used": "swap_used_mb"}
    return {ours: sample[theirs] * MIB for ours, theirs in names.items()}
