"""How a model is spread over cards and memory: what its command says of that, and three ways to set it. Pure.

What there is no card for, or what is not known of a file, is not set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llamaswap_py.config.command import argv, option
from llamaswap_py.config.flags import NUMBERS, Flags
from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.server.overview.models import KnownModel

FLAGS = {
    "tensor_split": ("--tensor-split", "-ts"),
    "gpu_layers": ("--n-gpu-layers", "-ngl", "--gpu-layers"),
    "context_size": ("--ctx-size", "-c"),
    "batch_size": ("--batch-size", "-b"),
}
ALL_LAYERS = 999
FULL, CAREFUL = 0.9, 0.7  # of the cards' memory
OVERHEAD = 1.2  # a model takes so much of its file: cache and buffers
SMALL_CONTEXT = 4096

PRESETS = {
    "performance": "all layers on the cards, by the memory that each has; large batches; the context as it is",
    "balanced": "as many layers as the cards hold, by the memory that each has; middling batches; the context as it is",
    "conservative": "layers for 70 % of the cards' memory, by what is free of each; small batches; 4096 tokens at most",
}

Settings = Mapping[str, int | str]


def settings_of(known: KnownModel) -> dict[str, int | str | None]:
    """What the command says; None where it says nothing, or what is no setting (`sh -c '…'` has other words there)."""
    words = argv(known.model.cmd)
    return {name: number_or_text(option(words, *names)) for name, names in FLAGS.items()}


def number_or_text(word: str) -> int | str | None:
    return int(word) if word.isdecimal() else word if NUMBERS.fullmatch(word) else None


def flags_of(settings: Settings) -> Flags:
    return {FLAGS[name]: str(value) for name, value in settings.items()}


def preset(name: str, known: KnownModel, cards: Sequence[Card]) -> dict[str, int | str]:
    """`name`: one of the presets."""
    found = RULES[name](known, [card for card in cards if card.memory_total])
    return {key: value for key, value in found.items() if value is not None}


def performance(known: KnownModel, cards: Sequence[Card]) -> dict[str, Any]:
    layers = ALL_LAYERS if cards else None
    return {"tensor_split": split([card.memory_total for card in cards]), "gpu_layers": layers, "batch_size": 2048}


def balanced(known: KnownModel, cards: Sequence[Card]) -> dict[str, Any]:
    by_size = split([card.memory_total for card in cards])
    return {"tensor_split": by_size, "gpu_layers": layers_within(known, cards, FULL), "batch_size": 1024}


def conservative(known: KnownModel, cards: Sequence[Card]) -> dict[str, Any]:
    context = known.said.context or known.described.trained_context
    return {
        "tensor_split": split([card.memory_free for card in cards]),
        "gpu_layers": layers_within(known, cards, CAREFUL),
        "context_size": min(context, SMALL_CONTEXT) if context else None,
        "batch_size": 512,
    }


RULES: Mapping[str, Callable[[KnownModel, Sequence[Card]], dict[str, Any]]] = {
    "performance": performance,
    "balanced": balanced,
    "conservative": conservative,
}


def split(sizes: Sequence[int | None]) -> str | None:
    """Parts of one; None where there is nothing to be split, or where a part is not known."""
    known = [size for size in sizes if size is not None]
    if len(sizes) < 2 or len(known) < len(sizes) or not sum(known):
        return None
    return ",".join(f"{size / sum(known):.3f}".rstrip("0").rstrip(".") for size in known)


def layers_within(known: KnownModel, cards: Sequence[Card], share: float) -> int | None:
    """As many as fit into that share of the memory; None where that cannot be told."""
    size, layers = known.described.size, known.described.layers
    room = share * sum(card.memory_total or 0 for card in cards)
    if not cards or not size:
        return None
    if size * OVERHEAD <= room:
        return ALL_LAYERS
    return int(layers * room / (size * OVERHEAD)) if layers else None
