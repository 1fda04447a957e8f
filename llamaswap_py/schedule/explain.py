"""Why something was evicted: what was known when room was made."""

from __future__ import annotations

from collections.abc import Iterable

from llamaswap_py.schedule.lives import Life
from llamaswap_py.schedule.orders import Candidate, Decision
from llamaswap_py.schedule.state import State


def decided(state: State, wanted: Life, victims: Iterable[Life], now: float, rule: str = "") -> Decision:
    first = min(wanted.demands(), key=lambda ticket: ticket.rank(state.plan.patience))
    return Decision(
        at=now,
        wanted=wanted.model,
        caller=first.caller,
        waiting=len(wanted.waiting),
        waited=now - min(ticket.asked for ticket in wanted.demands()),
        candidates=tuple(candidate(life, now) for life in state.up.values() if life is not wanted),
        chosen=tuple(victim.model for victim in victims),
        rule=rule or state.plan.rule,
    )


def candidate(life: Life, now: float) -> Candidate:
    return Candidate(life.model, life.phase, len(life.seats), len(life.waiting), now - life.last_use, life.pinned)


def explained(decision: Decision | None) -> dict[str, object]:
    """As fields of a log line, an event or an answer; without the time, which is the scheduler's."""
    if decision is None:
        return {}
    return {
        "wanted": decision.wanted,
        "caller": decision.caller,
        "waiting": decision.waiting,
        "waited": round(decision.waited, 3),
        "rule": decision.rule,
        "chosen": list(decision.chosen),
        "candidates": [
            {
                "model": each.model,
                "state": each.phase.value,
                "seated": each.seated,
                "waiting": each.waiting,
                "unused": round(each.unused, 3),
                "pinned": each.pinned,
            }
            for each in decision.candidates
        ],
    }
