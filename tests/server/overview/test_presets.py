"""Three ways to spread a model over the cards, and what its command says of that."""

from __future__ import annotations

from typing import Any

import pytest

from llamaswap_py.config.values import Model
from llamaswap_py.library.described import Described, Said
from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.server.overview.models import KnownModel
from llamaswap_py.server.overview.presets import PRESETS, flags_of, preset, settings_of, split

GIB = 2**30
LARGE = Card("nvidia", 0, memory_total=24 * GIB, memory_free=6 * GIB)
SMALL = Card("nvidia", 1, memory_total=8 * GIB, memory_free=6 * GIB)


def known(size: int = 4 * GIB, layers: int = 32, context: int = 0, cmd: str = "srv") -> KnownModel:
    described = Described(size=size, layers=layers, trained_context=131072)
    return KnownModel(Model(id="a", cmd=cmd), Said("a.gguf", context), described, None)


@pytest.mark.parametrize(
    ("name", "cards", "settings"),
    [
        ("performance", [LARGE, SMALL], {"tensor_split": "0.75,0.25", "gpu_layers": 999, "batch_size": 2048}),
        ("balanced", [LARGE, SMALL], {"tensor_split": "0.75,0.25", "gpu_layers": 999, "batch_size": 1024}),
        (
            "conservative",
            [LARGE, SMALL],
            {"tensor_split": "0.5,0.5", "gpu_layers": 999, "context_size": 4096, "batch_size": 512},
        ),
        ("performance", [SMALL], {"gpu_layers": 999, "batch_size": 2048}),
        ("performance", [], {"batch_size": 2048}),
        ("balanced", [], {"batch_size": 1024}),
        ("conservative", [Card("apple", 0)], {"context_size": 4096, "batch_size": 512}),
    ],
)
def test_what_each_sets(name: str, cards: list[Card], settings: dict[str, Any]) -> None:
    """Without a card nothing of cards."""
    assert preset(name, known(), cards) == settings


def test_what_does_not_fit_is_put_onto_the_cards_in_part() -> None:
    """As many layers as the share of the memory holds; nothing, where their number is not known."""
    assert preset("balanced", known(12 * GIB), [SMALL])["gpu_layers"] == int(32 * 0.9 * 8 / (12 * 1.2))
    assert preset("conservative", known(12 * GIB), [SMALL])["gpu_layers"] == int(32 * 0.7 * 8 / (12 * 1.2))
    assert "gpu_layers" not in preset("balanced", known(12 * GIB, layers=0), [SMALL])
    assert "gpu_layers" not in preset("balanced", known(0), [SMALL])


def test_a_context_that_is_small_already_stays() -> None:
    assert preset("conservative", known(context=2048), [])["context_size"] == 2048


def test_what_is_free_is_split_only_where_all_of_it_is_known() -> None:
    assert "tensor_split" not in preset("conservative", known(), [LARGE, SMALL._replace(memory_free=None)])
    assert (split([0, 0]), split([3])) == (None, None)
    assert split([1, 1, 1]) == "0.333,0.333,0.333"


def test_what_a_command_says() -> None:
    said = settings_of(known(cmd="srv -c 8192 -ngl auto -b 5 -b 6"))
    assert said == {"tensor_split": None, "gpu_layers": "auto", "context_size": 8192, "batch_size": 6}
    other = settings_of(known(cmd="sh -c 'run --api-key secret' -ts 0.5,0.5 -ngl -1"))
    assert other == {"tensor_split": "0.5,0.5", "gpu_layers": "-1", "context_size": None, "batch_size": None}
    assert flags_of({"gpu_layers": 9}) == {("--n-gpu-layers", "-ngl", "--gpu-layers"): "9"}


def test_each_preset_is_described() -> None:
    for name in PRESETS:
        assert preset(name, known(), [LARGE])
