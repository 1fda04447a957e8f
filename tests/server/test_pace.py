"""How slowly a body may come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.server.pace import SLOWEST, Pace

STALL = 60.0


def sent(pace: Pace, rate: float, every: float, seconds: float) -> float:
    """How long a sender of so many bytes a second, one piece each time, is borne with."""
    spent = 0.0
    while spent < seconds and every <= pace.left:
        pace.came(int(rate * every), every)
        spent += every
    return spent


def test_an_honest_upload_over_a_slow_line_passes_whatever_its_size() -> None:
    assert sent(Pace(STALL), 50_000, 1.0, 24 * 3600) == 24 * 3600
    assert sent(Pace(STALL), 2 * SLOWEST, 20.0, 24 * 3600) == 24 * 3600


def test_a_trickle_is_borne_with_for_one_stall() -> None:
    assert sent(Pace(STALL), 0.1, 10.0, 24 * 3600) == STALL


@given(st.lists(st.tuples(st.integers(0, 10**9), st.floats(0, 100)), max_size=30))
def test_nobody_earns_more_than_one_stall(pieces: list[tuple[int, float]]) -> None:
    pace = Pace(STALL)
    for size, waited in pieces:
        pace.came(size, waited)
        assert pace.left <= STALL
