"""How the witness takes orders into its books: each must be right at the moment it is given."""

from __future__ import annotations

import math

from llamaswap_py.errors import (
    GaveUp,
    NoRoom,
    NotLoaded,
    Overloaded,
    QueueFull,
    QueueTimeout,
    Refusal,
    ShuttingDown,
    StartBackoff,
    StartFailed,
    UnknownModel,
    Unloaded,
)
from llamaswap_py.schedule.facts import (
    Asked,
    Closed,
    Fact,
    Gone,
    Ready,
    Replanned,
    UnloadAsked,
)
from llamaswap_py.schedule.orders import Grant, Order, Refuse, Start, Stop
from llamaswap_py.schedule.plan import Evict, Never, Phase, Row
from tests.schedule.books import (
    Books,
    Breach,
    Caller,
    Run,
    crowded_out,
    denied,
    evicts_nobody,
    expect,
    pinned_in_the_way,
    spent,
    stays_until,
    waits_until,
)


def ordered(books: Books, order: Order, fact: Fact, fresh: str) -> None:
    match order:
        case Start(model, run):
            ordered_start(books, model, run)
        case Stop(model, run, why):
            ordered_stop(books, model, run, why, fact)
        case Grant(ticket, model, run):
            ordered_grant(books, ticket, model, run, fact)
        case Refuse(ticket, refusal):
            ordered_refuse(books, ticket, refusal, fact, fresh)


def ordered_start(books: Books, model: str, number: int) -> None:
    expect(not books.closed, "closed", f"{model} started")
    expect(model not in books.alive, "one run", f"{model} has a run already")
    expect(number not in books.runs_seen, "one run", f"run {number} was there before")
    expect(model in books.plan.entries, "plan", f"{model} is not in the plan")
    verdict = books.plan.policy(model, books.world())
    expect(verdict == Evict(()), "policy", f"{model} started though {verdict}")
    expect(books.now >= books.ledger(model).until, "left alone", f"{model} started before {books.ledger(model).until}")
    expect(model in books.wants or books.waiters(model) > 0, "policy", f"{model} started for nobody")
    check_turn(books, model)
    before = books.after.pop(model, None)
    gone = before is None or books.alive.get(before.model) is not before
    expect(gone, "one more try", f"{model} started before {before and before.model} was gone")
    books.runs_seen.add(number)
    last_use = books.scheduler.snapshot()[model].last_use  # outlives the run
    books.alive[model] = Run(model, number, books.plan.entries[model].version, books.now, last_use=last_use)


def check_turn(books: Books, model: str) -> None:
    """Nothing starts in the way of somebody in front, whichever of the two the policy would have go."""
    if not books.pairwise:
        return
    place = books.model_rank(model)
    for other in books.queued():
        if denied(books, other) and not books.waiters(other):
            continue  # a load by order that was given up a moment ago
        if other == model or books.model_rank(other) > place:
            continue
        for one, two in ((model, other), (other, model)):
            verdict = books.plan.policy(one, {two: Row(two, Phase.STARTING, 0, 1, books.now, 0.0)})
            expect(verdict == Evict(()), "older waiters first", f"{model} started in front of {other}")


def ordered_stop(books: Books, model: str, number: int, why: str, fact: Fact) -> None:
    run = books.alive.get(model)
    if run is None or run.number != number:
        raise Breach("stopped once", f"{model} has no run {number}")
    expect(run.phase is not Phase.STOPPING, "stopped once", f"{model} is stopping already")
    callers = books.waiters(model) if run.phase is Phase.STARTING else 0
    if why.endswith("it ran out of memory"):
        wanted = why.removeprefix("evicted for ").partition(":")[0]
        expect(books.after.get(wanted) is run, "one more try", f"{model} {why}")
    elif why.startswith("evicted"):
        expect(not run.seats and not callers, "seats are safe", f"{model} {why}")
        loading = run.phase is Phase.STARTING and model in books.wants
        for_caller = books.waiters(why.removeprefix("evicted for ")) > 0
        wanted = why.removeprefix("evicted for ")
        starts = wanted not in books.alive  # what is up may need others gone too
        expect(not (starts and evicts_nobody(books, wanted)), "its failures evict nobody", f"{model} {why}")
        expect(for_caller or not loading, "seats are safe", f"loading {model} {why}, for which nobody waits")
        books.wants.pop(model, None)
        expect(model not in books.pinned, "pinned", f"{model} {why}")
        resting = books.now < stays_until(books, run) and not spent(books, wanted)
        expect(not resting, "residency", f"{model} {why} before it had its time")
    elif why == "idle":
        expect(books.now >= books.idle_at(run), "idle", f"{model} is not idle")
    elif why in ("replaced", "removed"):
        expect(books.now >= books.stale_at(run), "callers of an old run", f"{model} {why} under its callers")
    elif why == "unloaded":
        expect(isinstance(fact, UnloadAsked) and model in fact.models, "unload", f"nobody asked for {model}")
    else:
        expect(why == "closed" and run.phase is Phase.STARTING and books.closed, "closed", f"{model} {why}")
    run.phase, run.since, run.stale_since = Phase.STOPPING, books.now, None


def ordered_grant(books: Books, ticket: int, model: str, number: int, fact: Fact) -> None:
    caller = books.waiting.pop(ticket, None)
    if caller is None or ticket in books.answered:
        raise Breach("answered once", f"{ticket} does not wait")
    run = books.alive.get(model)
    if run is None or run.number != number or caller.model != model:
        raise Breach("grants", f"{ticket} granted run {number} of {model}")
    expect(run.phase is Phase.READY and run.stale_since is None, "grants", f"{model} is {run.phase}")
    expect(not books.closed, "closed", f"{ticket} granted")
    expect(not books.full(run), "as many as seats", f"{ticket} granted, and {model} is full")
    if not isinstance(fact, Ready) or fact.run != number:
        verdict = books.plan.policy(model, books.world())
        expect(verdict == Evict(()), "policy", f"{model} serves though {verdict}")
    before = books.orders[: books.orders.index(Grant(ticket, model, number))]
    waited = any(isinstance(order, Refuse) for order in before)  # for the blink until another's time was over
    if not isinstance(fact, Asked) or fact.ticket != ticket or waited:
        run.last_use = books.now  # it was waited for
    run.seats[ticket] = caller
    run.abandoned = -math.inf
    books.seated[ticket] = run
    books.answered.add(ticket)
    books.granted.append(caller)


def ordered_refuse(books: Books, ticket: int, refusal: Refusal, fact: Fact, fresh: str) -> None:
    caller = books.waiting.pop(ticket, None)
    if caller is None or ticket in books.answered:
        raise Breach("answered once", f"{ticket} does not wait")
    if isinstance(refusal, QueueTimeout):
        expect(books.now >= waits_until(books, caller), "refusals", f"{ticket} refused too early: {refusal!r}")
        books.answered.add(ticket)
        return
    books.answered.add(ticket)
    expect(excused(books, caller, refusal, fact, fresh), "refusals", f"{ticket} refused: {refusal!r} after {fact}")


def excused(books: Books, caller: Caller, refusal: Refusal, fact: Fact, fresh: str) -> bool:
    if isinstance(refusal, StartBackoff) and crowded_out(books, caller.model):
        return True
    if isinstance(refusal, NoRoom):
        return not books.pairwise or pinned_in_the_way(books, caller.model)
    match fact:
        case Asked(ticket) if ticket == caller.ticket and isinstance(refusal, QueueFull | Overloaded):
            return queue_is_full(books, caller.model, refusal)
        case Asked(ticket) if ticket == caller.ticket and fresh:
            return type(refusal).__name__ == fresh
        case Asked(ticket, wakes=False) if ticket == caller.ticket and isinstance(refusal, NotLoaded):
            return True
        case UnloadAsked(models) if caller.model in models:
            return isinstance(refusal, Unloaded)
        case Closed():
            return isinstance(refusal, ShuttingDown)
        case Gone(model) if model == caller.model and isinstance(refusal, StartBackoff | GaveUp):
            return books.backing_off(model)
        case Gone(model, _, why) if model == caller.model and isinstance(refusal, StartFailed):
            return why is None or why is refusal
        case Replanned(plan) if caller.model not in plan.entries:
            return isinstance(refusal, UnknownModel)
    return isinstance(books.plan.policy(caller.model, {}), Never)


def queue_is_full(books: Books, model: str, refusal: Refusal) -> bool:
    most = books.plan.entries[model].queue if isinstance(refusal, QueueFull) else books.plan.queue
    waiting = books.waiters(model) if isinstance(refusal, QueueFull) else len(books.waiting)
    return most is not None and waiting >= most
