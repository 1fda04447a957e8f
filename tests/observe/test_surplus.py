"""Free memory goes back to the system once it is quiet."""

from __future__ import annotations

from llamaswap_py.observe.surplus import MUCH, QUIET_SECONDS, Surplus, give_back


def test_it_is_given_back_once_after_much_was_let_go() -> None:
    given: list[bool] = []
    surplus = Surplus(lambda: given.append(True))
    surplus.let_go += MUCH - 1
    assert (surplus.patience(None), surplus.patience(60.0)) == (None, 60.0)
    assert not surplus.given_back()
    surplus.let_go += 1
    assert (surplus.patience(None), surplus.patience(60.0), surplus.patience(0.0)) == (QUIET_SECONDS, QUIET_SECONDS, 0)
    assert surplus.given_back()
    assert not surplus.given_back()
    assert given == [True]


def test_giving_back_harms_nothing_on_any_system() -> None:
    kept = [bytes(1000) for _ in range(1000)]
    give_back()
    assert len(b"".join(kept)) == 1_000_000
