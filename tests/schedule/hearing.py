"""How the witness takes facts into its books, and which answer to a caller is due at once."""

from __future__ import annotations

from llamaswap_py.errors import (
    GaveUp,
    NotLoaded,
    ShuttingDown,
    StartBackoff,
    TooManyRequests,
    UnknownModel,
)
from llamaswap_py.schedule.facts import (
    Asked,
    Closed,
    Fact,
    Gone,
    Left,
    LoadAsked,
    PinAsked,
    Ready,
    Replanned,
    ResetAsked,
    UnloadAsked,
    Woke,
)
from llamaswap_py.schedule.orders import Grant
from llamaswap_py.schedule.plan import Evict, Phase, Plan
from tests.schedule.books import Books, Caller, Run, gives_room


def told(books: Books, fact: Fact) -> str:
    """Take it into the books; for `Asked` the answer that must come now, where one must."""
    match fact:
        case Asked():
            return told_asked(books, fact)
        case Left(ticket):
            told_left(books, ticket)
        case Ready(model, run):
            told_ready(books, model, run)
        case Gone():
            told_gone(books, fact)
        case LoadAsked(model):
            told_load(books, model)
        case UnloadAsked():
            told_unload(books, fact)
        case Replanned(plan):
            told_plan(books, plan)
        case PinAsked(model, pinned):
            told_pin(books, model, pinned)
        case Closed():
            books.closed = True
            books.wants.clear()
        case ResetAsked(model):
            books.ledgers.pop(model, None)
            books.second.discard(model)
        case Woke():
            pass
    return ""


def told_asked(books: Books, fact: Asked) -> str:
    books.counter += 1
    must = answer_due(books, fact)
    caller = Caller(fact.ticket, fact.model, fact.priority, fact.keeps, books.now, books.counter, fact.caller)
    books.waiting[fact.ticket] = caller
    books.here[fact.ticket] = fact.model
    return must


def answer_due(books: Books, fact: Asked) -> str:
    if books.closed:
        return ShuttingDown.__name__
    entry = books.plan.entries.get(fact.model)
    if entry is None:
        return UnknownModel.__name__
    run = books.alive.get(fact.model)
    callers = books.waiters(fact.model) + (len(run.seats) if run else 0)
    if entry.limit is not None and callers >= entry.limit:
        return TooManyRequests.__name__
    if books.backing_off(fact.model):
        return (GaveUp if books.ledger(fact.model).given_up else StartBackoff).__name__
    if run and run.phase is Phase.READY and run.stale_since is None:
        if free(books, fact, run):
            return Grant.__name__
        if not books.pairwise and books.queued():
            return ""  # what those in front need depends on more than these books know
    return "" if fact.wakes else NotLoaded.__name__


def free(books: Books, fact: Asked, run: Run) -> bool:
    """Whether nothing at all stands between this caller and the seat."""
    if books.full(run) or books.waiters(fact.model) or books.plan.policy(fact.model, books.world()) != Evict(()):
        return False
    mine = books.rank(Caller(0, fact.model, fact.priority, True, books.now, books.counter))
    if not books.pairwise:
        return not books.queued()
    return not any(books.spent_in_front(model, run.model, mine) for model in books.queued())


def told_left(books: Books, ticket: int) -> None:
    books.here.pop(ticket, None)
    waited = books.waiting.pop(ticket, None)
    if waited and waited.model in books.alive and not books.waiters(waited.model):
        load = books.alive[waited.model]
        load.abandoned = books.now if load.phase is Phase.STARTING else load.abandoned
    run = books.seated.pop(ticket, None)
    if run:
        caller = run.seats.pop(ticket)
        run.last_use = books.now if caller.keeps else run.last_use


def told_ready(books: Books, model: str, number: int) -> None:
    run = books.alive.get(model)
    if run and run.number == number and run.phase is Phase.STARTING:
        books.ledger(model).excused.append((run.since, books.now))
        books.second.discard(model)
        run.phase, run.since, run.last_use, run.ready_at = Phase.READY, books.now, books.now, books.now
        books.wants.pop(model, None)


def told_gone(books: Books, fact: Gone) -> None:
    model, run = fact.model, books.alive.get(fact.model)
    if run is None or run.number != fact.run:
        return
    if run.phase is Phase.STARTING:
        books.ledger(model).excused.append((run.since, books.now))
    victim = gives_room(books, model) if fact.starved and run.phase is Phase.STARTING else None
    if victim is not None:
        books.second.add(model)
        books.after[model] = victim
        del books.alive[model]
        return
    account(books, run, fact)
    if run.phase is Phase.STARTING or books.now < books.ledger(model).until:
        books.wants.pop(model, None)
    for ticket in run.seats:
        del books.seated[ticket]
    del books.alive[model]


def account(books: Books, run: Run, fact: Gone) -> None:
    """Deliberate stops are no failures; a success is one however the run ended."""
    if run.phase is Phase.STARTING:
        books.second.discard(run.model)
    ledger, entry = books.ledger(run.model), books.plan.entries.get(run.model)
    success = fact.served or (entry is not None and books.now - run.ready_at >= entry.steady)
    if success:
        ledger.success()
    if run.phase is Phase.STARTING or (run.phase is Phase.READY and fact.why is not None and not fact.served):
        ledger.failure(books.now, books.plan, run.phase is Phase.READY, success)


def told_pin(books: Books, model: str, pinned: bool) -> None:
    if model in books.scheduler.snapshot():
        (books.pinned.add if pinned else books.pinned.discard)(model)


def told_unload(books: Books, fact: UnloadAsked) -> None:
    for model in fact.models:
        books.wants.pop(model, None)


def told_load(books: Books, model: str) -> None:
    run = books.alive.get(model)
    if books.closed or model not in books.plan.entries or books.backing_off(model):
        return
    if run is None or run.phase is not Phase.READY or run.stale_since is not None:
        books.want(model)


def told_plan(books: Books, plan: Plan) -> None:
    for model in tuple(books.ledgers):
        if model not in plan.entries or changed(books.plan, plan, model):
            del books.ledgers[model]
    for model in tuple(books.second):
        if model not in plan.entries or changed(books.plan, plan, model):
            books.second.discard(model)
    before, books.plan = books.plan.entries, plan
    books.pinned &= set(plan.entries)
    for model, entry in plan.entries.items():
        if model not in before or before[model].pinned != entry.pinned:
            (books.pinned.add if entry.pinned else books.pinned.discard)(model)
    for model in [model for model in books.wants if model not in plan.entries]:
        del books.wants[model]
    for model in books.scheduler.snapshot():  # in this order they want to be up again
        if model in books.alive:
            compare(books, books.alive[model])


def changed(old: Plan, new: Plan, model: str) -> bool:
    return model not in old.entries or old.entries[model].version != new.entries[model].version


def compare(books: Books, run: Run) -> None:
    entry = books.plan.entries.get(run.model)
    if run.phase is Phase.STOPPING:
        return
    if entry is not None and entry.version == run.version:
        run.stale_since = None
        if run.phase is Phase.READY:
            books.wants.pop(run.model, None)
        return
    run.stale_since = books.now if run.stale_since is None else run.stale_since
    if entry is not None:
        books.want(run.model)
