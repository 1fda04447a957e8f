"""Who waits, and the fair order among those who wait for one model. Knows nothing of models and seats."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

Rank = tuple[float, int]  # the smaller goes first
Line = tuple[int, str]  # a priority, and a caller: whose requests take turns


class Ticket(msgspec.Struct, eq=False):
    """One caller, or (number 0) a want: somebody wants the model up but takes no seat."""

    number: int
    model: str
    priority: int
    keeps: bool
    asked: float
    order: int
    caller: str = ""
    granted: float = 0.0  # when it sat down

    @property
    def line(self) -> Line:
        return (self.priority, self.caller)

    def rank(self, patience: float) -> Rank:
        """One point of priority is worth one patience of waiting, so that nobody is overtaken for ever;
        with infinite patience priority alone decides."""
        if math.isinf(patience):
            return (-self.priority, self.order)
        return (self.asked - self.priority * patience, self.order)


def in_turn(tickets: Iterable[Ticket], patience: float, served: Mapping[Line, int], most: int) -> list[Ticket]:
    """The first of them in fair order: where priorities are equal callers take turns, and each one's own requests
    keep their order. Of the callers of each priority whoever's turn it is stands in line by rank.

    `served` tells when callers had their last turn: who comes anew stands behind all who wait, and so does
    who has just had a turn. Thus nobody is overtaken twice by another while it waits."""
    lines = {priority: round_robin(line, served) for priority, line in by_priority(tickets).items()}
    if len(lines) == 1:
        return next(iter(lines.values()))[:most]
    found: list[Ticket] = []
    heads = [iter(line) for line in lines.values()]
    firsts = {place: next(line) for place, line in enumerate(heads)}
    while firsts and len(found) < most:
        place = min(firsts, key=lambda each: firsts[each].rank(patience))
        found.append(firsts[place])
        after = next(heads[place], None)
        if after is None:
            del firsts[place]
        else:
            firsts[place] = after
    return found


def by_priority(tickets: Iterable[Ticket]) -> dict[int, list[Ticket]]:
    lines: dict[int, list[Ticket]] = {}
    for ticket in sorted(tickets, key=lambda each: each.order):
        lines.setdefault(ticket.priority, []).append(ticket)
    return lines


def round_robin(line: list[Ticket], served: Mapping[Line, int]) -> list[Ticket]:
    """Everybody's first, then everybody's second; in each round the callers in the order of their turns."""
    turns: dict[str, int] = {}
    rounds: dict[str, int] = {}
    placed: list[tuple[int, int, Ticket]] = []
    for ticket in line:
        caller = ticket.caller
        turn = turns.setdefault(caller, max(served.get(ticket.line, 0), ticket.order))
        rounds[caller] = lap = rounds.get(caller, 0) + 1
        placed.append((lap, turn, ticket))
    if len(turns) > 1:
        placed.sort(key=lambda each: each[:2])
    return [ticket for _, _, ticket in placed]
