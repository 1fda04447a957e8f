"""A card for whoever asks the API: as a piece of hardware, and as it is now. None is said as null. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.observe.gpu.gpus import Known
from llamaswap_py.observe.performance import MIB

# Below so many degrees Celsius a card is…
THERMAL = ((70.0, "good"), (80.0, "warning"), (85.0, "critical"))

N = TypeVar("N", int, float)


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def accelerators(cards: Iterable[Card]) -> list[dict[str, Any]]:
    """In llama-swap's shape."""
    return [
        {
            "index": index,
            "kind": "gpu",
            "vendor": card.vendor,
            "model": card.name,
            "architecture": card.architecture,
            "memory": {"kind": card.memory_kind or "unknown", "capacity_bytes": card.memory_total},
            "driver": {"name": card.driver, "version": card.driver_version} if card.driver else None,
            "power_limit_watts": card.power_limit,
        }
        for index, card in enumerate(cards)
    ]


def component(known: Iterable[Known], troubles: int) -> dict[str, Any]:
    """For the health: numbers and no names. No card at all is no trouble."""
    found = list(known)
    stale = [each.seen for each in found if each.stale]
    told: dict[str, Any] = {"status": "degraded" if stale else "ok", "visible": len(found)}
    told |= {"unreadable_kinds": troubles} if troubles else {}
    return told | ({"stale": len(stale), "stale_since": moment(min(stale))} if stale else {})


def figures(known: Iterable[Known], taken: Mapping[str, int | None], now: float) -> dict[str, Any]:
    """All of them at this moment; memory in MiB, as cards are sold. Sums and means are of those that are not stale."""
    found = list(known)
    fresh = [each.card for each in found if not each.stale]
    hottest = max(given(card.temperature for card in fresh), default=None)
    return {
        "timestamp": moment(now),
        "gpus": [now_of(each) for each in found],
        "total_memory_used": mib(total(given(card.memory_used for card in fresh))),
        "total_memory_available": mib(total(given(card.memory_total for card in fresh))),
        "average_temperature": mean(given(card.temperature for card in fresh)),
        "average_utilization": mean(given(card.utilisation for card in fresh)),
        "thermal_status": thermal(hottest),
        "models": {model: mib(size) for model, size in taken.items()},
    }


def now_of(known: Known) -> dict[str, Any]:
    card = known.card
    return {
        "index": card.number,
        "name": card.name,
        "vendor": card.vendor,
        "uuid": card.uuid,
        "temperature": card.temperature,
        "vram_temperature": card.vram_temperature,
        "utilization_percent": card.utilisation,
        "memory_used": mib(card.memory_used),
        "memory_total": mib(card.memory_total),
        "memory_free": mib(card.memory_free),
        "memory_percent": card.memory_percent,
        "power_draw": card.power,
        "power_limit": card.power_limit,
        "fan_speed": card.fan,
        "driver": card.driver,
        "driver_version": card.driver_version,
        "asleep": card.asleep,
        "stale": known.stale,
        "seen": moment(known.seen),
        "disbelieved": list(card.disbelieved),
        **({"why": known.why} if known.why else {}),
    }


def given(values: Iterable[N | None]) -> list[N]:
    return [value for value in values if value is not None]


def total(values: Sequence[int]) -> int | None:
    return sum(values) if values else None


def mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 1) if values else None


def mib(size: int | None) -> int | None:
    return None if size is None else size // MIB


def thermal(hottest: float | None) -> str:
    if hottest is None:
        return "unknown"
    return next((word for limit, word in THERMAL if hottest < limit), "emergency")
