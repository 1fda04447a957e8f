"""Measurements of the machine, and their text for Prometheus."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from llamaswap_py.observe.exposition import escaped, exposition, number
from llamaswap_py.observe.performance import Performance, measure

START = datetime(2026, 1, 1, tzinfo=UTC)


class Looks:
    """Counts, and says when enough were made."""

    def __init__(self, enough: int) -> None:
        self.enough = enough
        self.count = 0
        self.done = threading.Event()

    def __call__(self) -> dict[str, Any]:
        self.count += 1
        if self.count >= self.enough:
            self.done.set()
        return {"timestamp": (START + timedelta(seconds=self.count)).isoformat()}


def test_a_measurement_has_llama_swaps_members() -> None:
    sample = measure()
    assert set(sample) == {
        "timestamp", "cpu_util_per_core", "mem_total_mb", "mem_used_mb", "mem_free_mb", "swap_total_mb", "swap_used_mb",
        "load_avg_1", "load_avg_5", "load_avg_15", "net_io",
    }  # fmt: skip
    assert sample["mem_total_mb"] > 0
    assert all(net["name"] != "lo" for net in sample["net_io"])


def test_it_measures_by_itself_and_keeps_one_hour() -> None:
    """Once an interval; the oldest go. What is newer than a moment can be asked for."""
    looks = Looks(6)
    performance = Performance(print, looks)
    performance.adopt(0.001)
    assert looks.done.wait(10)
    performance.close()
    assert performance.samples.maxlen == 3_600_000
    samples = performance.since(None)
    assert len(samples) >= 5
    later = performance.since(START + timedelta(seconds=2))
    assert later == samples[2 : 2 + len(later)]
    assert performance.latest() == samples[-1] or looks.count > len(samples)


def test_a_look_that_fails_is_not_the_last() -> None:
    """What went wrong is said."""
    looks, said = Looks(3), list[str]()

    def look() -> dict[str, Any]:
        sample = looks()
        if looks.count == 1:
            raise OSError("no such file")
        return sample

    performance = Performance(said.append, look)
    performance.adopt(0.001)
    assert looks.done.wait(10)
    performance.close()
    assert said == ["the machine could not be measured: no such file"]
    assert performance.since(None)[0]["timestamp"] == (START + timedelta(seconds=2)).isoformat()


def test_it_can_be_off_and_be_changed() -> None:
    performance = Performance(print, Looks(1))
    assert not performance.enabled
    assert performance.latest() is None
    performance.adopt(3600)
    first = performance.stop
    performance.adopt(3600)
    assert performance.stop is first
    performance.adopt(0)
    assert first.is_set()
    assert not performance.enabled


def test_the_text_for_prometheus_can_be_parsed() -> None:
    """Every line is a comment or a value; each family says its type before its values."""
    text = exposition({**measure(), "net_io": [{"name": 'e"0', "bytes_recv": 1, "bytes_sent": 2**40}]})
    value = re.compile(r'(llamaswap_\w+)(\{(\w+="([^"\\]|\\.)*",?)+\})? [0-9.e+-]+')
    typed: set[str] = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif not line.startswith("# HELP "):
            found = value.fullmatch(line)
            assert found is not None, line
            assert found[1] in typed
    assert 'llamaswap_network_bytes_total{interface="e\\"0",direction="sent"} 1099511627776' in text
    assert {"llamaswap_cpu_util_percent", "llamaswap_memory_total_bytes", "llamaswap_load_average"} <= typed


def test_nothing_measured_is_nothing_said() -> None:
    assert exposition(None) == ""
    assert "network" not in exposition({**measure(), "net_io": []})


@pytest.mark.parametrize(("value", "said"), [(0, "0"), (2.5, "2.5"), (2**40, "1099511627776"), (1e-7, "1e-07")])
def test_numbers(value: float, said: str) -> None:
    assert number(value) == said


def test_labels_are_escaped() -> None:
    assert escaped('a"b\\c\nd') == 'a\\"b\\\\c\\nd'
