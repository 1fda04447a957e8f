"""What moves and what stands still, in values alone."""

from __future__ import annotations

import pytest

from llamaswap_py.runtime.progress import GROWTH, Patience, Signs, Stall, says_something

MB = 1 << 20


def test_patience_counts_from_the_last_sign() -> None:
    patience = Patience(10.0, 0.0, 100.0)
    assert patience.over(109.9) is None
    patience.sign(105.0)
    assert patience.over(114.9) is None
    refusal = patience.over(115.0)
    assert refusal is not None
    assert "healthCheckTimeout" in refusal.message


def test_a_cap_counts_from_the_beginning() -> None:
    patience = Patience(10.0, 20.0, 100.0)
    for now in range(100, 120):
        patience.sign(now)
        assert patience.over(now) is None
    refusal = patience.over(120.0)
    assert refusal is not None
    assert "loadLimit" in refusal.message


def test_growth_beyond_all_that_was_seen_is_progress_and_nothing_less() -> None:
    patience = Patience(10.0, 0.0, 0.0)
    patience.seen(Signs(amount=50 * MB), 5.0)
    patience.seen(Signs(amount=20 * MB), 6.0)
    patience.seen(Signs(amount=50 * MB + GROWTH - 1), 7.0)
    patience.seen(None, 8.0)
    assert patience.due() == 15.0
    patience.seen(Signs(amount=51 * MB), 9.0)
    assert patience.due() == 19.0


@pytest.mark.parametrize(
    ("output", "sign"),
    [
        (b"loading tensor 5 of 300\n", True),
        (b".", True),
        (b"\n \n", False),
        (b"GET /health 503\n", False),
        (b"GET /health 503\nloaded\n", True),
    ],
)
def test_lines_that_tell_of_our_own_probes_are_no_progress(output: bytes, sign: bool) -> None:
    assert says_something(output, b"/health") is sign


def looked(stall: Stall, *looks: tuple[bool, int, Signs | None]) -> list[bool]:
    """One look a second."""
    return [stall.look(float(now), *look) for now, look in enumerate(looks, 1)]


IDLE = Signs(cpu=5.0)


def test_a_server_that_was_asked_and_does_nothing_has_stalled() -> None:
    assert looked(Stall(2.0, 0.0), (True, 7, IDLE), (True, 7, IDLE), (True, 7, IDLE)) == [False, False, True]


@pytest.mark.parametrize(
    "moving",
    [(True, 8, IDLE), (False, 7, IDLE), (True, 7, Signs(cpu=5.5)), (True, 7, None)],
    ids=["a byte came", "nobody waits", "it computes", "it cannot be seen"],
)
def test_whatever_moves_starts_the_time_anew(moving: tuple[bool, int, Signs | None]) -> None:
    still = (True, 7, IDLE)
    assert looked(Stall(3.0, 0.0), still, still, moving, still, still)[-1] is False


def test_one_tick_of_the_processor_is_no_work() -> None:
    ticking = [(True, 7, Signs(cpu=5.0 + 0.01 * (n % 2))) for n in range(5)]
    assert looked(Stall(2.0, 0.0), *ticking)[-1] is True
