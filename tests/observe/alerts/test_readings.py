"""From what is counted and measured to the value of each rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from llamaswap_py.observe.alerts.answers import Answers
from llamaswap_py.observe.alerts.readings import Disk, Totals, Window, counted, fullest, hottest, measured
from llamaswap_py.observe.alerts.rules import Reading
from llamaswap_py.observe.alike import alike
from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.observe.rows import Details, Row


def row(status: int, first_byte: float = 0.0, duration: int = 0) -> Row:
    return Row(0, "m", "/v1/chat/completions", "", status, duration_ms=duration, details=Details(first_byte=first_byte))


def over(*totals: Totals, seconds: float = 100.0, step: float = 10.0) -> dict[str, Reading]:
    window = Window()
    for number, each in enumerate(totals):
        window.add(each, number * step, seconds)
    return counted(window)


def test_nothing_is_known_before_the_second_look() -> None:
    assert over(Totals()) == {}
    assert {reading.value for reading in over(Totals(), Totals()).values()} == {0.0}


def test_failures_are_a_part_of_the_windows_requests() -> None:
    found = over(Totals(finished=100, failed=90), Totals(finished=120, failed=95))
    assert found["error_rate"] == Reading(25.0, "5 of 20 requests failed")


def test_one_or_two_failures_are_no_rate() -> None:
    assert over(Totals(), Totals(finished=2, failed=2))["error_rate"].value == 0.0
    assert over(Totals(), Totals(finished=3, failed=3))["error_rate"].value == 100.0


def test_what_is_older_than_the_window_does_not_count() -> None:
    bad = Totals(finished=10, failed=10)
    assert over(Totals(), bad, *[bad] * 9)["error_rate"].value == 100.0
    assert over(Totals(), bad, *[bad] * 10)["error_rate"].value == 0.0


def test_the_time_until_answers_begin_is_a_mean() -> None:
    answers = Answers()
    before = answers.totals(0, {})
    rows = [row(200, first_byte=1.0, duration=60_000), row(200, duration=3000), row(502, duration=90_000), row(404)]
    answers.count(alike(rows))
    after = answers.totals(0, {})
    assert (after.finished, after.failed, after.answered, after.waited) == (4, 1, 2, 4.0)
    assert over(before, after)["response_time"] == Reading(2000.0, "of 2 answers")


def test_the_time_that_went_into_swapping_is_a_part_of_the_window() -> None:
    assert over(Totals(swapping=5.0), Totals(swapping=9.0))["swap_thrash"] == Reading(40.0, "of the last 10 s")
    assert over(Totals(), Totals(swapping=90.0))["swap_thrash"].value == 100.0


def test_restarts_name_the_models() -> None:
    found = over(Totals(restarts={"a": 1.0}), Totals(restarts={"a": 2.0, "b": 3.0, "c": 0.0}))
    assert found["restarts"] == Reading(4.0, "b: 3, a: 1")


def sample(wall: float, **more: Any) -> dict[str, Any]:
    stamp = datetime.fromtimestamp(wall, UTC).isoformat().replace("+00:00", "Z")
    usual = {"timestamp": stamp, "cpu_util_per_core": [50.0, 100.0], "mem_used_mb": 90, "mem_total_mb": 100}
    return usual | more


def test_the_machine_is_as_it_was_measured_last() -> None:
    assert measured(sample(1000.0), 5.0, 1010.0) == {
        "cpu_usage": Reading(75.0, "of 2 cores"),
        "memory_usage": Reading(90.0, "90 of 100 MiB"),
    }
    assert measured(sample(1000.0, cpu_util_per_core=[], mem_total_mb=0), 5.0, 1000.0) == {}


def test_an_old_measurement_says_nothing_of_now() -> None:
    assert measured(sample(1000.0), 5.0, 1016.0) == {}
    assert measured(None, 5.0, 0.0) == measured(sample(1000.0), 0.0, 1000.0) == {}


def test_the_hottest_card_counts() -> None:
    cards = [Card("nvidia", 0, "small", temperature=60.0), Card("amd", 1, temperature=83.0), Card("amd", 2)]
    assert hottest(cards) == {"gpu_temperature": Reading(83.0, "GPU 1")}
    assert hottest(cards[:1])["gpu_temperature"].detail == "GPU 0, small"
    assert hottest(cards[2:]) == {}


def test_the_fullest_disk_counts() -> None:
    assert fullest([Disk("/a", 10.0), Disk("/b", 95.5)]) == {"disk_usage": Reading(95.5, "at /b")}
    assert fullest([]) == {}
