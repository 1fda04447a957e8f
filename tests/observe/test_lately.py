"""What ended lately."""

from __future__ import annotations

from llamaswap_py.observe.alike import alike
from llamaswap_py.observe.lately import Ended, Lately, of_request
from llamaswap_py.observe.rows import Details, Row
from llamaswap_py.observe.store import Store


def row(created: int, status: int, first_byte: float, request: str = "") -> Row:
    return Row(created, "m", "/p", "", status, details=Details(request=request, first_byte=first_byte))


def ended(*rows: Row) -> Ended:
    found = Ended(10)
    see(found, *rows)
    return found


def see(found: Ended, *rows: Row) -> None:
    for those in alike(rows):
        found.see(those)


def test_what_ended_lately() -> None:
    """Where no answer began there is no time until it did."""
    assert ended().lately(0) == Lately(0, 0, None)
    some = row(10, 500, 9.0), row(20, 200, 0.5), row(21, 200, 1.5), row(22, 502, 0.0), row(22, 404, 0.0)
    found = ended(*some)
    assert found.lately(30) == Lately(4, 1, 1.0)
    assert found.lately(32) == Lately(2, 1, None)
    assert found.lately(33) == Lately(0, 0, None)


def test_what_is_over_is_forgotten_and_a_clock_may_be_set_back() -> None:
    found = ended(*(row(second, 200, 0.0) for second in range(100, 200)))
    assert len(found.seconds) == found.within + 1
    assert found.lately(199).finished == 11
    see(found, row(150, 502, 0.0))
    assert found.lately(150) == Lately(1, 1, None)


def test_an_answer_that_broke_off_has_failed_and_one_that_was_cancelled_has_not() -> None:
    codes = ("upstream_failed", "cancelled", "caller_left", "")
    found = ended(*(Row(1, "m", "/p", "", 200, details=Details(code=code)) for code in codes))
    assert found.lately(1)[:2] == (4, 1)


def test_a_request_is_found_by_its_id() -> None:
    """The newest, where several went by the same."""
    store = Store()
    store.add([row(1, 200, 0.1, "x"), row(2, 500, 0.1, "x"), row(3, 200, 0.1, "y")])
    found = of_request(store, "x")
    assert found is not None
    assert (found.created, found.status, found.details.request) == (2, 500, "x")
    assert of_request(store, "z") is None
    store.close()
