"""Questions after the newest rows."""

from __future__ import annotations

from llamaswap_py.observe.lately import Lately, lately, of_request
from llamaswap_py.observe.rows import Details, Row
from llamaswap_py.observe.store import Store


def row(created: int, status: int, first_byte: float, request: str = "") -> Row:
    return Row(created, "m", "/p", "", status, details=Details(request=request, first_byte=first_byte))


def test_what_ended_lately() -> None:
    """Where no answer began there is no time until it did."""
    store = Store()
    assert lately(store, 0) == Lately(0, 0, None)
    store.add([row(10, 500, 9.0), row(20, 200, 0.5), row(21, 200, 1.5), row(22, 502, 0.0), row(23, 404, 0.0)])
    assert lately(store, 20) == Lately(4, 1, 1.0)
    store.close()


def test_an_answer_that_broke_off_has_failed_and_one_that_was_cancelled_has_not() -> None:
    store = Store()
    codes = ("upstream_failed", "cancelled", "caller_left", "")
    store.add([Row(1, "m", "/p", "", 200, details=Details(code=code)) for code in codes])
    assert lately(store, 0)[:2] == (4, 1)
    store.close()


def test_a_request_is_found_by_its_id() -> None:
    """The newest, where several went by the same."""
    store = Store()
    store.add([row(1, 200, 0.1, "x"), row(2, 500, 0.1, "x"), row(3, 200, 0.1, "y")])
    found = of_request(store, "x")
    assert found is not None
    assert (found.created, found.status, found.details.request) == (2, 500, "x")
    assert of_request(store, "z") is None
    store.close()
