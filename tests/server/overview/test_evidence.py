"""From counts, samples and cards to what the health and the advice go by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from llamaswap_py.config.values import Model
from llamaswap_py.library.described import Described, Said
from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.observe.lately import Lately
from llamaswap_py.observe.scores import Scores
from llamaswap_py.observe.tally import Tally
from llamaswap_py.server.overview.evidence import Counted, current, evidence, of_card, vitals
from llamaswap_py.server.overview.models import KnownModel, row, size_of

SAMPLE: dict[str, Any] = {
    "timestamp": datetime.fromtimestamp(1000, UTC).isoformat(),
    "cpu_util_per_core": [10.0, 30.0],
    "mem_used_mb": 250,
    "mem_total_mb": 1000,
    "swap_used_mb": 1,
}
CARD = Card("nvidia", 0, "Card", uuid="GPU-1", temperature=50.0, memory_used=5, memory_total=10)


def test_vitals_are_of_what_is_known() -> None:
    found = vitals(Lately(40, 2, 0.25), SAMPLE, [CARD, CARD._replace(temperature=61.5)], 3)
    assert found == (20.0, 25.0, 61.5, 5.0, 250.0, 3)
    assert vitals(Lately(), None, [], 0) == (None, None, None, None, None, 0)


def test_a_measurement_that_is_old_tells_of_then() -> None:
    assert current(SAMPLE, 5.0, 1060.0) is SAMPLE
    assert current(SAMPLE, 5.0, 1061.0) is None
    assert current(SAMPLE, 60.0, 1180.0) is SAMPLE
    assert current(None, 5.0, 0.0) is None


def test_a_models_counts_are_its_own() -> None:
    names = "starts_total", "exits_total", "load_seconds"
    befell = Scores(
        *(f"llamaswap_model_{n}" for n in names), "llamaswap_evictions_total", "llamaswap_swap_seconds_total"
    )
    befell.add("llamaswap_model_starts_total", ("a",), 4)
    befell.add("llamaswap_model_starts_total", ("b",), 9)
    befell.add("llamaswap_model_exits_total", ("a", "idle"), 3)
    befell.add("llamaswap_model_exits_total", ("a", "evicted"), 1)
    befell.add("llamaswap_evictions_total", ("a", "groups"))
    befell.see("llamaswap_model_load_seconds", ("a",), 2.0)
    befell.see("llamaswap_model_load_seconds", ("a",), 4.0)
    known = KnownModel(Model(id="a", cmd="x", ttl=60), Said("f", 0, "Q4_0"), Described(parameters=7, size=8), None)
    counted = Counted([*befell.scores(), *Tally({"a"}).scores()])
    at = evidence(9.0, counted, [known], [], SAMPLE)
    (one,) = at.models
    assert (one.starts, one.idle_ends, one.evictions, one.load_seconds) == (4, 3, 1, 3.0)
    assert (one.ttl, one.quantisation, one.parameters, one.size) == (60, "Q4_0", 7, 8)
    assert (at.memory_used, at.memory_total, at.requests) == (250 * 2**20, 1000 * 2**20, 0)
    assert evidence(9.0, counted, [], [], None).memory_total is None


def test_a_cards_use_is_the_mean_of_its_own_samples() -> None:
    samples = [{"uuid": "GPU-1", "id": 0, "gpu_util_pct": use} for use in (10.0, None, 30.0)]
    other = {"uuid": "GPU-2", "id": 0, "gpu_util_pct": 99.0}
    assert of_card(CARD, [*samples, other]).busy == 20.0
    assert of_card(CARD, []).busy is None


def test_a_model_of_which_nothing_is_known_is_no_number() -> None:
    told = row(KnownModel(Model(id="a", cmd="x"), Said(), Described(), None), "stopped")
    unknown = "family", "parameter_size", "quantization", "context_size", "size_bytes", "created"
    assert {told[name] for name in unknown} == {None}
    assert told["name"] == "a"


def test_sizes_are_said_as_people_say_them() -> None:
    said = [size_of(count) for count in (0, 999, 350_000_000, 1_100_000_000, 14_000_000_000)]
    assert said == [None, "999", "350M", "1.1B", "14B"]
