"""Cards for whoever asks the API."""

from __future__ import annotations

import pytest

from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.observe.gpu.exposition import gpu_exposition, gpu_scores
from llamaswap_py.observe.gpu.gpus import Known
from llamaswap_py.observe.gpu.shown import accelerators, component, figures, thermal

GIB = 2**30
CARD = Card(
    "nvidia", 0, "Tesla M10", "NVIDIA", "GPU-1", utilisation=35.5, temperature=45.0, power=30.0, power_limit=53.0,
    memory_used=2 * GIB, memory_total=8 * GIB, memory_free=6 * GIB,
)  # fmt: skip
OTHER = CARD._replace(number=1, uuid="GPU-2", temperature=71.0, utilisation=None)
OLD = Known(CARD._replace(number=2, uuid="GPU-3", temperature=99.0), 900.0, True, "no answer within 2.5 s")


def test_sums_and_means_are_of_what_is_known_now() -> None:
    told = figures([Known(CARD, 1000.0, False), Known(OTHER, 1000.0, False), OLD], {"a": GIB, "b": None}, 1001.0)
    assert (told["total_memory_used"], told["total_memory_available"]) == (4096, 16384)
    assert (told["average_temperature"], told["average_utilization"], told["thermal_status"]) == (58.0, 35.5, "warning")
    assert told["models"] == {"a": 1024, "b": None}
    first, _, old = told["gpus"]
    assert (first["memory_used"], first["memory_total"], first["memory_percent"]) == (2048, 8192, 25.0)
    assert (first["power_draw"], first["power_limit"], first["stale"]) == (30.0, 53.0, False)
    assert (old["stale"], old["seen"], old["why"]) == (True, "1970-01-01T00:15:00Z", "no answer within 2.5 s")


@pytest.mark.parametrize(
    ("hottest", "word"),
    [(None, "unknown"), (69.9, "good"), (70, "warning"), (80, "critical"), (85, "emergency"), (99, "emergency")],
)
def test_how_warm_it_is(hottest: float | None, word: str) -> None:
    assert thermal(hottest) == word


def test_health_tells_numbers_and_no_names() -> None:
    assert component([], 0) == {"status": "ok", "visible": 0}
    assert component([], 1) == {"status": "ok", "visible": 0, "unreadable_kinds": 1}
    assert component([Known(CARD, 1.0, False), OLD], 0) == {
        "status": "degraded", "visible": 2, "stale": 1, "stale_since": "1970-01-01T00:15:00Z",
    }  # fmt: skip


def test_a_card_of_which_little_is_known_is_hardware_all_the_same() -> None:
    (told,) = accelerators([Card("amd", 3, "Something", "AMD")])
    assert (told["index"], told["driver"]) == (0, None)
    assert told["memory"] == {"kind": "unknown", "capacity_bytes": None}


def test_what_is_stale_is_no_metric_but_its_age_is() -> None:
    known = [Known(CARD, 1000.0, False), OLD]
    text = gpu_exposition(known)
    assert 'llamaswap_gpu_temperature_celsius{id="0",name="Tesla M10",uuid="GPU-1"} 45' in text
    assert "GPU-3" not in text
    assert "fan" not in text
    scores = {score.metric.name: score.values for score in gpu_scores(known, {"a": 5, "b": None}, 1001.0)}
    assert scores["llamaswap_gpu_data_age_seconds"]["2", "Tesla M10", "GPU-3"] == 101
    assert list(scores["llamaswap_gpu_power_limit_watts"]) == [("0", "Tesla M10", "GPU-1")]
    assert scores["llamaswap_model_gpu_memory_bytes"] == {("a",): 5}
