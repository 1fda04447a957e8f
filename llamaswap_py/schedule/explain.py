"""Why something was evicted: what was known when room was made."""

from __future__ import annotations

from llamaswap_py.schedule.lives import Life
from llamaswap_py.schedule.orders import Candidate, Decision
from llamaswap_py.schedule.queue import MakeRoom
from llamaswap_py.schedule.state import State


def decided(state: State, move: MakeRoom, now: float) -> Decision:
    first = min(move.life.demands(), key=lambda ticket: ticket.rank(state.plan.patience))
    return Decision(
        at=now,
        wanted=move.life.model,
        caller=first.caller,
        waiting=len(move.life.waiting),
        waited=now - min(ticket.asked for ticket in move.life.demands()),
        candidates=tuple(candidate(life, now) for life in state.up.values() if life is not move.life),
        chosen=tuple(victim.model for victim in move.victims),
        rule=state.plan.rule,
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
