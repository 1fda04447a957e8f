"""The cards in Prometheus' form: llama-swap's names as text, ours as scores.

What is stale is left out, but not its age."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from llamaswap_py.observe.exposition import family
from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.observe.gpu.gpus import Known
from llamaswap_py.observe.scores import Score, Scores

Figure = Callable[[Card], float | None]

LLAMA_SWAPS: tuple[tuple[str, str, Figure], ...] = (
    ("temperature_celsius", "Temperature.", lambda card: card.temperature),
    ("vram_temperature_celsius", "Temperature of the memory.", lambda card: card.vram_temperature),
    ("util_percent", "Use.", lambda card: card.utilisation),
    ("memory_util_percent", "Memory in use, of all.", lambda card: card.memory_percent),
    ("memory_used_bytes", "Memory in use.", lambda card: card.memory_used),
    ("memory_total_bytes", "Memory.", lambda card: card.memory_total),
    ("fan_speed_percent", "Fans.", lambda card: card.fan),
    ("power_draw_watts", "Power.", lambda card: card.power),
)


def labels(card: Card) -> dict[str, str]:
    return {"id": str(card.number), "name": card.name, "uuid": card.uuid or ""}


def gpu_exposition(known: Iterable[Known]) -> str:
    cards = [each.card for each in known if not each.stale]
    told = []
    for name, about, figure in LLAMA_SWAPS:
        values = [(labels(card), value) for card in cards if (value := figure(card)) is not None]
        told.append(family(f"llamaswap_gpu_{name}", about, values) if values else "")
    return "".join(told)


def gpu_scores(known: Iterable[Known], taken: Mapping[str, int | None], now: float) -> list[Score]:
    """`taken`: of each model."""
    names = "gpu_memory_free_bytes", "gpu_power_limit_watts", "gpu_data_age_seconds", "model_gpu_memory_bytes"
    scores = Scores(*(f"llamaswap_{name}" for name in names))
    for card, seen, stale, _ in known:
        at = tuple(labels(card).values())
        scores.put("llamaswap_gpu_data_age_seconds", at, max(0.0, now - seen))
        if card.memory_free is not None and not stale:
            scores.put("llamaswap_gpu_memory_free_bytes", at, card.memory_free)
        if card.power_limit is not None and not stale:
            scores.put("llamaswap_gpu_power_limit_watts", at, card.power_limit)
    for model, size in taken.items():
        if size is not None:
            scores.put("llamaswap_model_gpu_memory_bytes", (model,), size)
    return scores.scores()
