"""What receivers have yet to hear, in order, and when the next try is. Decides; sends nothing.

A message stays at the head of its receiver's line until it was taken: so each is heard once, and the end of an alert
never before its beginning."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from llamaswap_py.observe.alerts.rules import Alert

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 600.0  # seconds; each pause is twice the one before
MOST_WAITING = 500  # of one receiver: beyond it the oldest is given up
# A message that its receiver refuses for what it is will not get better.
MOST_REFUSALS = 3


class Parcel(NamedTuple):
    id: str  # the same at every try: a receiver that hears it twice can tell
    kind: str
    alert: Alert
    made: float  # unix seconds


class Trouble(NamedTuple):
    """Why it was not taken."""

    why: str
    refused: bool = False  # for what it is
    pause: float = 0.0  # that the receiver asks for; 0: it does not


class Line(msgspec.Struct):
    parcels: deque[Parcel] = msgspec.field(default_factory=deque)
    due: float = 0.0  # the clock's
    failures: int = 0  # in a row
    refusals: int = 0  # of the first parcel
    trouble: str = ""  # the last, until something is taken
    delivered: int = 0
    given_up: int = 0
    last: float = 0.0  # unix seconds of what was taken last

    def put(self, parcel: Parcel) -> bool:
        """False where another had to go for it."""
        self.parcels.append(parcel)
        if len(self.parcels) <= MOST_WAITING:
            return True
        del self.parcels[1]  # the first may be on its way
        self.given_up += 1
        return False

    def taken(self, wall: float) -> None:
        self.parcels.popleft()
        self.due, self.failures, self.refusals, self.trouble = 0.0, 0, 0, ""
        self.delivered += 1
        self.last = wall

    def failed(self, trouble: Trouble, clock: float) -> bool:
        """Whether it is given up."""
        self.trouble = trouble.why
        self.failures += 1
        self.refusals += trouble.refused
        if self.refusals >= MOST_REFUSALS:
            self.parcels.popleft()
            self.due, self.refusals = clock, 0
            self.given_up += 1
            return True
        pause = FIRST_PAUSE * 2 ** min(self.failures - 1, 16)
        self.due = clock + min(max(pause, trouble.pause), LONGEST_PAUSE)
        return False


class Outbox:
    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}

    def adopt(self, receivers: Iterable[str]) -> None:
        """Who is not in the configuration any more is told nothing; the others are tried at once: what kept them from
        hearing may have been changed."""
        wanted = list(receivers)
        self.lines = {name: self.lines.get(name, Line()) for name in wanted}
        for line in self.lines.values():
            line.due, line.refusals = 0.0, 0

    def waiting(self) -> dict[str, list[Parcel]]:
        return {name: list(line.parcels) for name, line in self.lines.items() if line.parcels}
