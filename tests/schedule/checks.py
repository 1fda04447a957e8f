"""What must be true after each step, whatever it was."""

from __future__ import annotations

import math

from llamaswap_py.schedule.facts import (
    Asked,
    Fact,
    Ready,
    UnloadAsked,
    Woke,
)
from llamaswap_py.schedule.orders import Grant
from llamaswap_py.schedule.plan import Never, Phase, Wait
from tests.schedule.books import Books, Caller, Run, expect, spent, stays_until, waits_until


def check_answers(books: Books, fact: Fact, fresh: str) -> None:
    if isinstance(fact, Asked) and fresh:
        promise = "closed" if books.closed else "at once"
        expect(fact.ticket in books.answered, promise, f"{fact} must be answered by {fresh}")
        granted = any(isinstance(order, Grant) and order.ticket == fact.ticket for order in books.orders)
        expect(granted == (fresh == Grant.__name__), promise, f"{fact} must be answered by {fresh}")
    if isinstance(fact, Asked) and not fact.wakes:
        expect(fact.ticket in books.answered, "at once", f"{fact} must not wait")
    if isinstance(fact, UnloadAsked):
        for model in fact.models:
            expect(not books.waiters(model), "unload", f"somebody still waits for {model}")
            run = books.alive.get(model)
            stopped = run is None or run.phase is Phase.STOPPING
            expect(stopped, "unload", f"{model} goes on")
    if isinstance(fact, Ready):
        run = books.alive.get(fact.model)
        if run and run.number == fact.run and run.phase is Phase.READY and run.stale_since is None:
            served = books.full(run) or not books.waiters(fact.model)
            expect(served, "served at ready", f"callers of {fact.model} left out")
    expect(not (books.closed and books.waiting), "closed", "somebody waits")


def check_grants(books: Books, fact: Fact) -> None:
    """Nobody sits down in front of one whose patience is spent and who waits for that model to drain."""
    for number, caller in enumerate(books.granted):
        still = (*books.granted[number + 1 :], *books.waiting.values())
        older = [other for other in still if other.model == caller.model]
        mine = [other for other in older if (other.caller, other.priority) == (caller.caller, caller.priority)]
        expect(all(caller.order < other.order for other in mine), "in order", f"{caller} sat down in front of {mine}")
        for priority in {other.priority for other in older} - {caller.priority}:
            level = [other for other in older if other.priority == priority]
            behind = any(books.rank(caller) < books.rank(other) for other in level)
            expect(behind, "in order", f"{caller} sat down in front of all of {level}")
    at_ready = fact.model if isinstance(fact, Ready) else None
    for caller in books.granted if books.pairwise else ():
        for other in books.queued() if caller.model != at_ready else ():
            passed = books.spent_in_front(other, caller.model, books.rank(caller))
            expect(not passed, "patience", f"{caller} was served in front of {other}")


def check_turns(books: Books, fact: Fact) -> None:
    """Of callers of one model and equal priority nobody has two turns while another waits for its first."""
    for number, caller in enumerate(books.granted if books.pairwise else ()):
        firsts: dict[str, Caller] = {}
        still = (*books.granted[number + 1 :], *books.waiting.values())
        for other in sorted(still, key=lambda each: each.order):
            if (other.model, other.priority) == (caller.model, caller.priority):
                firsts.setdefault(other.caller, other)
        for first in firsts.values():
            if first.caller == caller.caller:
                continue
            if isinstance(fact, Ready) or not held_back(books, first):
                first.passes[caller.caller] += 1
            expect(first.passes[caller.caller] <= 1, "in turn", f"{caller} sat down again in front of {first}")


def held_back(books: Books, caller: Caller) -> bool:
    """It comes after somebody who waits for its model to drain."""
    return any(books.spent_in_front(model, caller.model, books.rank(caller)) for model in books.queued())


def check_books(books: Books) -> None:
    sights = books.scheduler.snapshot()
    expect(set(books.plan.entries) <= set(sights), "nobody is forgotten", "a model is missing")
    expect(set(books.alive) <= set(sights), "nobody is forgotten", "a run is missing")
    for model, sight in sights.items():
        run = books.alive.get(model)
        mine = (run.number, run.phase, len(run.seats)) if run else (0, sight.phase, 0)
        theirs = (sight.run, sight.phase, sight.seated)
        broken = not run and model in books.plan.entries and sight.phase is Phase.GAVE_UP
        if broken or (not run and books.ledger(model).given_up and books.now < books.ledger(model).until):
            expect(broken and books.ledger(model).given_up, "given up", f"{model} is shown as {sight}")
        expect(mine == theirs, "nobody is forgotten", f"{model} is {mine}, shown as {theirs}")
        waiting = books.waiters(model)
        expect(waiting == sight.waiting, "nobody is forgotten", f"{waiting} wait for {model}, shown {sight.waiting}")


def check_times(books: Books, fact: Fact) -> None:
    deadline = books.scheduler.deadline(books.now)
    expect(deadline is None or deadline >= books.now, "deadline", f"{deadline} is past at {books.now}")
    if isinstance(fact, Woke):
        expect(deadline != books.now, "deadline", f"spins at {books.now}")
    latest = math.inf if deadline is None else deadline
    for caller in books.waiting.values():
        until = waits_until(books, caller)
        expect(until > books.now and until >= latest, "deadline", f"{caller} waits beyond {until}, deadline {deadline}")
    for run in books.alive.values():
        due = min(books.idle_at(run), books.stale_at(run))
        expect(due > books.now, "deadline", f"{run.model} is overdue at {books.now}")
        expect(due >= latest, "deadline", f"{run.model} is due at {due}, deadline {deadline}")


def check_moves(books: Books) -> None:
    """Whoever is first in the queue waits for something that will happen."""
    queued = books.queued()
    if not queued:
        return
    first = min(queued, key=books.model_rank)
    expect(blocked(books, first), "something moves", f"{first} waits for nothing")


def blocked(books: Books, model: str) -> bool:
    run = books.alive.get(model)
    if run and run.phase is Phase.READY and books.full(run):
        return True
    if run and (run.phase is Phase.STOPPING or (run.stale_since is not None and run.seats)):
        return True
    before = books.after.get(model)
    if before is not None and books.alive.get(before.model) is before:
        return before.phase is Phase.STOPPING
    verdict = books.plan.policy(model, books.world())
    if isinstance(verdict, Wait):
        return any(other.phase is not Phase.READY for other in books.alive.values())
    if isinstance(verdict, Never):
        return False
    victims = [books.alive[victim] for victim in verdict.models]
    if any(resting(books, victim, model) for victim in victims):
        return books.scheduler.deadline(books.now) is not None
    return any(victim.phase is Phase.STOPPING or in_use(books, victim, model) for victim in victims)


def resting(books: Books, victim: Run, for_model: str) -> bool:
    return books.now < stays_until(books, victim) and not spent(books, for_model)


def in_use(books: Books, victim: Run, for_model: str) -> bool:
    if victim.phase is not Phase.STARTING:
        return bool(victim.seats)
    by_order = victim.model in books.wants and not books.waiters(for_model)
    return books.waiters(victim.model) > 0 or by_order
