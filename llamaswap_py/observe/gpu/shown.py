"""A card for whoever asks the API: as a piece of hardware, and as it is now. None is said as null. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.observe.gpu.gpus import Known


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
