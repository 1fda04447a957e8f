"""Who waits, for onlookers: everybody's place in the queue."""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from llamaswap_py.schedule.plan import Phase
from llamaswap_py.schedule.state import State


class Place(msgspec.Struct, frozen=True):
    model: str
    position: int  # from 1; 0 while its model is starting
    caller: str
    waited: float  # seconds


def places(state: State, now: float) -> list[Place]:
    """As `Scheduler.waiting_position` would say them one by one; of each model in the order of its seats."""
    patience = state.plan.patience
    waiting = {life.model: life for life in state.demanded() if life.waiting}
    queued = {model: life for model, life in waiting.items() if life.phase is not Phase.STARTING}
    ranks = sorted((ticket.rank(patience), model) for model, life in queued.items() for ticket in life.waiting.values())
    found: list[Place] = []
    for model, life in waiting.items():
        others = [rank for rank, whose in ranks if whose != model]
        for number, ticket in enumerate(life.in_line(patience), 1):
            before = bisect_right(others, ticket.rank(patience))
            position = before + number if model in queued else 0
            found.append(Place(model, position, ticket.caller, now - ticket.asked))
    return sorted(found, key=lambda place: place.position)
