"""Whoever wakes the scheduler by its alarm alone, without asking for the deadline after every fact, is never late."""

from __future__ import annotations

from llamaswap_py.schedule.facts import Fact
from llamaswap_py.schedule.orders import Order
from llamaswap_py.schedule.scheduler import Scheduler
from tests.schedule.drive import drive

STEPS = 6_000


class Watched(Scheduler):
    def handle(self, fact: Fact, now: float) -> list[Order]:
        orders = super().handle(fact, now)
        assert self.alarm <= max(self.due(now), now), fact
        return orders


def test_the_alarm_is_never_later_than_what_falls_due() -> None:
    drive(Watched, 1, STEPS)


class Unasked(Watched):
    """Nobody asks it for the deadline, so nothing but facts keeps its alarm right."""

    def deadline(self, now: float) -> float | None:
        alarm = self.alarm
        due = super().deadline(now)
        self.alarm = alarm
        return due


def test_the_alarm_needs_no_question() -> None:
    drive(Unasked, 1, STEPS)
