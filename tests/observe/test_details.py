"""Who asked, what it waited for, and how it ended."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import pytest

from llamaswap_py.observe.details import knowing
from llamaswap_py.observe.finished import Finished
from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.rows import UNKNOWN, Details


class Word(Enum):
    COMPLETE = "complete"
    CALLER = "caller"


@dataclass
class Ended:
    began: float = 10.0
    first_byte: float | None = 11.0
    ended: float = 13.0
    bytes_sent: int = 500
    phase: Enum = Word.COMPLETE
    closed_by: Enum | None = None
    longest_gap: float = 0.75


@dataclass
class Ran:
    began: float
    ready: float = math.inf
    number: int = 4


def told(outcome: Ended | None = None, served: Ran | None = None, code: str = "", events: int = 0) -> Details:
    know = knowing({"/v1/messages": "anthropic"}, lambda headers: (headers["key"], "s"))
    finished = Finished("a", "/v1/messages", 200, 1.0, 4.0, Heard(1), began=9.0, code=code)
    finished.headers, finished.address, finished.request = {"key": "key 1"}, "::1", "id"
    finished.outcome, finished.served = outcome, served
    return know(finished, events)


def test_who_asked_is_said_without_a_secret() -> None:
    details = told(Ended(), Ran(0.0, 1.0))
    assert (details.api, details.caller, details.session) == ("anthropic", "key 1", "s")
    assert (details.address, details.request, details.run) == ("::1", "id", 4)


@pytest.mark.parametrize(
    ("served", "queued", "loading"),
    [
        (Ran(0.0, 1.0), 1.0, 0.0),  # it was up already: the wait was for a seat
        (Ran(9.0, 10.0), 0.0, 1.0),
        (Ran(9.25, 9.75), 0.5, 0.5),  # for room before, and for a turn after
        (Ran(0.0, 9.5), 0.5, 0.5),  # somebody else had begun to load it
        (None, 0.0, 0.0),
    ],
)
def test_a_wait_is_for_the_load_or_in_the_queue(served: Ran | None, queued: float, loading: float) -> None:
    details = told(Ended(), served)
    assert (details.queued, details.loading) == (queued, loading)


def test_who_was_refused_has_waited_until_then() -> None:
    details = told(None, None, "queue_timeout")
    assert (details.queued, details.loading, details.first_byte) == (4.0, 0.0, 0.0)
    assert (details.phase, details.closed_by, details.code) == ("", "", "queue_timeout")


def test_the_first_byte_counts_from_the_arrival_and_gaps_lie_between_events() -> None:
    details = told(Ended(), events=5)
    assert (details.first_byte, details.mean_gap, details.bytes) == (2.0, 0.5, 500)
    assert details.longest_gap == 0.75
    assert (told(Ended(), events=1).mean_gap, told(Ended(), events=1).longest_gap) == (0.0, 0.0)
    assert told(Ended(first_byte=None), events=5)[8:10] == (0.0, 0.0)


def test_how_it_ended_is_told_with_who_ended_it() -> None:
    details = told(Ended(closed_by=Word.CALLER))
    assert (details.phase, details.closed_by) == ("complete", "caller")


def test_what_nobody_knows_is_nothing() -> None:
    assert Details() == UNKNOWN
    assert not any(UNKNOWN)
