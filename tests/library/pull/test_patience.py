"""Waits grow, obey the server, and end; the speed is that of the last seconds."""

from __future__ import annotations

import pytest

from llamaswap_py.library.pull.patience import Meter, Patience
from llamaswap_py.library.pull.troubles import Again, PullFailed, Trouble


def again(wait: float | None = None, trouble: Trouble = Trouble.HUB_FAILED) -> Again:
    return Again(PullFailed(trouble, "No."), wait)


def test_waits_double_and_end_with_the_reason() -> None:
    patience = Patience()
    assert [patience.wait_after(again()) for _ in range(5)] == [1, 2, 4, 8, 16]
    with pytest.raises(PullFailed, match=r"No\. 6 tries"):
        patience.wait_after(again())


def test_getting_further_begins_anew() -> None:
    patience = Patience()
    for _ in range(20):
        assert patience.wait_after(again()) == 1
        patience.got_further()


def test_what_the_server_says_counts_but_not_without_bound() -> None:
    patience = Patience()
    assert patience.wait_after(again(0.0)) == 0
    assert patience.wait_after(again(600.0)) == 600
    with pytest.raises(PullFailed, match="601 s"):
        patience.wait_after(again(601.0, Trouble.TOO_MANY_REQUESTS))


def test_the_speed_is_that_of_the_last_seconds() -> None:
    meter = Meter()
    assert (meter.speed, meter.left(5)) == (0, None)
    for second in range(100):
        meter.saw(float(second), 1000 * second if second < 50 else 50_000 + 10 * second)
    assert meter.speed == 10
    assert meter.left(100) == 10


def test_a_transfer_that_begins_anew_has_no_negative_speed() -> None:
    meter = Meter()
    meter.saw(0.0, 1000)
    meter.saw(1.0, 10)
    assert meter.speed == 0
    meter.saw(1.0, 10)
    assert meter.speed == 0
