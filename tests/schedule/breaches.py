"""Schedulers with one promise broken on purpose: a copy of the room's source with a few words exchanged."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from llamaswap_py.schedule import scheduler
from llamaswap_py.schedule.scheduler import Scheduler

ROOM = Path(scheduler.__file__).parent
BRED = (
    "changes",
    "failures",
    "explain",
    "lives",
    "memory",
    "queue",
    "refusals",
    "scheduler",
    "state",
    "turns",
)  # facts, orders and plan stay the real ones


@dataclass(frozen=True)
class Breach:
    promise: str  # as the witness names it
    module: str
    words: str
    instead: str


BREACHES = (
    Breach("one run", "state", "self.runs += 1", "self.runs = 1"),
    Breach("one run", "queue", "life.phase is Phase.STOPPING or ", ""),
    Breach("policy", "queue", "if not claim.victims:", "if True:"),
    Breach("policy", "queue", "if model in world and model != life.model", "if model in self.real and not self.claims"),
    Breach("policy", "scheduler", "!= Evict(())", "is None"),
    Breach("one more try", "memory", "other.last_use, other.model", "other.model"),
    Breach("one more try", "queue", "self.awaits(*life.after)", "False"),
    Breach("older waiters first", "queue", "self.harms(life, earlier)", "False"),
    Breach("seats are safe", "lives", "if self.seats:\n            return True", "pass"),
    Breach("seats are safe", "lives", "(bool(self.waiting) or (self.wanted", "((self.wanted"),
    Breach("seats are safe", "lives", "(self.wanted is not None and not for_caller)", "False"),
    Breach(
        "served at ready",
        "changes",
        "state.grant_waiting(life, life.first(life.waiting.values(), state.plan.patience), now)",
        "pass",
    ),
    Breach("nobody is forgotten", "state", "life.waiting[ticket.number] = ticket", "pass"),
    Breach("nobody is forgotten", "state", "life.seats.clear()", "pass"),
    Breach("something moves", "scheduler", "return bool(self.claims) or (not", "return (not"),
    Breach("something moves", "changes", "Phase.DOWN, now)\n    return True", "Phase.DOWN, now)\n    return False"),
    Breach("deadline", "scheduler", "min(earliest, life.idle_at())", "earliest"),
    Breach("deadline", "queue", "if time > now", "if time > 0"),
    Breach("deadline", "scheduler", " or now >= self.alarm", ""),
    Breach("idle", "lives", "or self.keeping or", "or"),
    Breach(
        "answered once",
        "state",
        "append(Grant(ticket.number, life.model, life.run))",
        "extend([Grant(ticket.number, life.model, life.run)] * 2)",
    ),
    Breach("answered once", "state", "append(Refuse(number, refusal))", "extend([Refuse(number, refusal)] * 2)"),
    Breach("in turn", "state", "life.served[ticket.line] = self.arrivals", "pass"),
    Breach("in turn", "turns", "key=lambda each: each[:2]", "key=lambda each: each[2].order"),
    Breach("in order", "turns", "key=lambda each: each.order", "key=lambda each: -each.order"),
    Breach("pinned", "queue", "if life.pinned and", "if False and"),
    Breach("idle", "lives", " or self.pinned", ""),
    Breach("residency", "queue", "self.now < life.stays_until(self.plan.residency, self.plan.hold) or ", ""),
    Breach("residency", "lives", "self.abandoned + hold", "0.0"),
    Breach("something moves", "queue", "(claim.spent_at, *stays)", "(claim.spent_at,)"),
    Breach("deadline", "scheduler", ", claim.life.waits_until())", ")"),
    Breach("deadline", "scheduler", ", life.waits_until())\n        for", ")\n        for"),
    Breach("refusals", "refusals", "len(life.waiting) >= entry.queue", "True"),
    Breach("refusals", "lives", ".asked + self.entry.wait", ".asked"),
    Breach(
        "stopped once",
        "changes",
        "in (Phase.STARTING, Phase.READY):\n            state.stop",
        "is not Phase.DOWN:\n            state.stop",
    ),
    Breach("callers of an old run", "lives", "self.stale_since + patience if self.seats else ", ""),
    Breach("patience", "queue", "now >= claim.spent_at and claim.rank", "now > claim.spent_at + 1e9 and claim.rank"),
    Breach("patience", "queue", " if ticket.rank(patience) < limit", ""),
    Breach("at once", "queue", "now >= claim.spent_at and claim.rank", "claim.rank"),
    Breach("at once", "refusals", "if not fact.wakes:", "if False:"),
    Breach("grants", "scheduler", "life.stale_since is not None or life.waiting", "life.waiting"),
    Breach("refusals", "changes", "refuse_waiting(life, why)", "refuse_waiting(life, StartFailed(why.message))"),
    Breach("as many as seats", "scheduler", " or life.full:", ":"),
    Breach("as many as seats", "lives", "max(seats - len(self.seats), 0)", "seats"),
    Breach("unload", "changes", "state.refuse_waiting(life, refusal)", "pass"),
    Breach("left alone", "lives", "self.failures.pausing(now)", "False"),
    Breach("at once", "failures", "if self.given_up:\n            pause = limit.retry", "pass"),
    Breach("given up", "failures", "self.given_up = True", "pass"),
    Breach("given up", "failures", "self.excused += took", "pass"),
    Breach("given up", "failures", "< limit.window", "< 1e9"),
    Breach("its failures evict nobody", "queue", "if self.fails_again(claim):", "if False:"),
    Breach("its failures evict nobody", "failures", "HABIT = 2", "HABIT = 4"),
    Breach("closed", "changes", "state.closed = True", "pass"),
    Breach("in order", "turns", "min(firsts, key=lambda each: firsts[each].rank(patience))", "min(firsts)"),
)
STARVES = Breach("patience", "queue", "for ticket in life.demands()) + patience", "for ticket in life.demands()) + 1e9")
STANDS_STILL = Breach("everyone is answered", "scheduler", "return bool(self.claims) or (not", "return (not")


def breed(breach: Breach, folder: Path) -> type[Scheduler]:
    """The scheduler of a package of its own, with the breach in it."""
    name = "bred"
    for module in BRED:
        source = (ROOM / f"{module}.py").read_text(encoding="utf-8")
        if module == breach.module:
            assert breach.words in source, f"{module}.py has changed: {breach.words}"
            source = source.replace(breach.words, breach.instead)
        for other in BRED:
            source = source.replace(f"llamaswap_py.schedule.{other} import", f"{name}.{other} import")
        source = source.replace("from llamaswap_py.schedule import changes", f"from {name} import changes")
        (folder / f"{module}.py").write_text(source, encoding="utf-8")
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
    try:
        bred: type[Scheduler] = importlib.import_module(f"{name}.scheduler").Scheduler
    finally:
        for loaded in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
            del sys.modules[loaded]
    return bred
