"""Tells the scheduler what happened and carries out what it orders.

Deciding is the scheduler's, waiting is the runs'."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from itertools import count
from types import TracebackType

from msgspec import structs

from llamaswap_py.config.change import launch_key
from llamaswap_py.config.values import NOTHING, Config, Model
from llamaswap_py.errors import Disabled, Internal, Refusal, ShuttingDown, UnknownModel, Unloaded
from llamaswap_py.runtime.announcing import Announcer
from llamaswap_py.runtime.feed import Feed, LoadProgressed, ModelChanged
from llamaswap_py.runtime.following import Following
from llamaswap_py.runtime.loads import Loads
from llamaswap_py.runtime.runs import Ground, Run
from llamaswap_py.runtime.standings import Standing, notable, standings
from llamaswap_py.schedule.eviction import group, matrix
from llamaswap_py.schedule.explain import explained
from llamaswap_py.schedule.facts import (
    Asked,
    Closed,
    Fact,
    Gone,
    Left,
    LoadAsked,
    Ready,
    Replanned,
    ResetAsked,
    UnloadAsked,
    Woke,
)
from llamaswap_py.schedule.orders import Grant, Order, Refuse, Start, Stop
from llamaswap_py.schedule.plan import FALLEN, Entry, Phase, Plan
from llamaswap_py.schedule.scheduler import Scheduler

PROVED_SECONDS = 10.0  # ready for so long, a run was a success; whoever dies of its own start dies before


def steady(model: Model) -> float:
    """A server that nobody probes is called ready at once, and may still be loading for all we know."""
    return model.health_check_timeout if model.check_endpoint == "none" else PROVED_SECONDS


def plan_of(config: Config, disabled: Mapping[str, str] = NOTHING) -> Plan:
    persistent = {member for group in config.groups if group.persistent for member in group.members}
    entries = {
        model.id: Entry(
            model.id,
            launch_key(model),
            ttl=model.ttl,
            limit=model.concurrency_limit,
            seats=model.seats,
            steady=steady(model),
            queue=model.queue_limit,
            wait=model.queue_timeout,
            pinned=model.pin,
            persistent=model.id in persistent,
        )
        for model in config.models.values()
        if model.id not in disabled
    }
    return Plan(
        entries,
        matrix.policy(config.matrix) if config.matrix else group.policy(config.groups),
        patience=config.patience,
        crash_limit=config.crash_limit,
        queue=config.queue_limit,
        residency=config.min_residency,
        hold=config.hold_load,
        evicts_for_memory=config.evict_on_out_of_memory,
        rule="matrix" if config.matrix else "groups",
    )


def refuse_disabled(disabled: Mapping[str, str], model: str) -> None:
    if model in disabled:
        raise Disabled(f"model {model} is disabled until its configuration is right: {disabled[model]}")


def latest_first(runs: Iterable[Run], models: Iterable[str]) -> tuple[str, ...]:
    """Those that run in reverse order of their start, then the others."""
    running = [run.model.id for run in runs]
    return tuple(dict.fromkeys([*reversed(running), *models]))


def whose(leases: Iterable[Lease], model: str) -> dict[str, str]:
    """As fields of a log line: the model, and the request that has waited for it longest."""
    request = next((lease.request for lease in leases if lease.asked.model == model), "")
    return {"model": model, "request": request} if request else {"model": model}


class Lease:
    """A caller's seat. Entered and left by one coroutine, so that every Asked has its one Left."""

    __slots__ = ("answer", "asked", "conductor", "request", "waiter")

    def __init__(self, conductor: Conductor, asked: Asked, request: str = "") -> None:
        self.conductor = conductor
        self.asked = asked
        self.request = request  # its id, for the log
        self.answer: Run | Refusal | None = None  # the scheduler's
        self.waiter: asyncio.Future[None] | None = None  # only where the answer is not given at once

    @property
    def position(self) -> int | None:
        """In the queue, from 1; 0 while its model starts; None where it does not wait."""
        return self.conductor.scheduler.waiting_position(self.asked.ticket)

    @property
    def ready(self) -> bool:
        """Its model is, whether it may sit down or not."""
        sight = self.conductor.scheduler.sight(self.asked.model)
        return sight is not None and sight.phase is Phase.READY

    async def __aenter__(self) -> Run:
        run = self.ask() or await self.wait()
        if not run.lost:
            return run
        self.leave()
        await asyncio.wait([run.gone])
        self.asked = structs.replace(self.asked, ticket=next(self.conductor.tickets))
        self.answer = self.waiter = None
        return self.ask() or await self.wait()  # if that one is lost too, its callers hear how it died

    def ask(self) -> Run | None:
        """The run, where its scheduler grants a seat at once."""
        conductor, asked = self.conductor, self.asked
        refuse_disabled(conductor.disabled, asked.model)
        conductor.ground.leaks.refuse(asked.model)
        conductor.waiters[asked.ticket] = self
        conductor.tell(asked)
        return self.answered() if self.answer is not None else None

    async def wait(self) -> Run:
        self.waiter = self.conductor.loop.create_future()
        try:
            await self.waiter
        except BaseException:
            self.leave()
            raise
        return self.answered()

    def hear(self, answer: Run | Refusal) -> None:
        self.answer = answer
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def answered(self) -> Run:
        if isinstance(self.answer, Refusal):
            self.leave()
            raise self.answer.afresh()
        assert self.answer is not None, "nobody is woken without an answer"
        return self.answer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """The seat may be given up early: then the run can be stopped under whoever still talks to it."""
        conductor = self.conductor
        if conductor.waiters.pop(self.asked.ticket, None) is None:
            return
        conductor.tell(Left(self.asked.ticket))
        if conductor.closed and not conductor.waiters:
            conductor.drained.set()

    def touch(self) -> None:
        """Counts as use, also after the seat was given up; starts nothing and holds nothing up."""
        ticket = next(self.conductor.tickets)
        self.conductor.tell(structs.replace(self.asked, ticket=ticket, wakes=False))
        self.conductor.tell(Left(ticket))


class Conductor:
    def __init__(self, config: Config, ground: Ground, feed: Feed) -> None:
        self.loop = asyncio.get_running_loop()
        self.config = config
        self.disabled: Mapping[str, str] = NOTHING  # models whose own configuration is wrong, and why
        self.ground = ground
        ground.heart.every = config.heartbeat
        self.feed = feed
        self.announcer = Announcer(feed)
        self.scheduler = Scheduler(plan_of(config))
        self.following = Following(ground)
        self.runs: dict[int, Run] = {}
        self.waiters: dict[int, Lease] = {}  # those seated among them
        self.loads = Loads()
        self.tickets = count(1)
        self.inbox: deque[Fact] = deque()
        self.telling = False
        self.timer: asyncio.TimerHandle | None = None
        self.woken_at = math.inf  # by the timer
        self.closed = False
        self.drained = asyncio.Event()

    # -- facts in, orders out

    def tell(self, news: Fact) -> None:
        if self.telling:
            self.inbox.append(news)
            return
        scheduler, clock = self.scheduler, self.ground.clock
        self.telling = True
        try:
            for order in scheduler.handle(news, clock()):
                self.carry_out(order)
            while self.inbox:
                for order in scheduler.handle(self.inbox.popleft(), clock()):
                    self.carry_out(order)
        finally:
            self.telling = False
        if scheduler.claims is not self.following.claims:
            self.following.look_ahead(scheduler, self.runs, self.config)
        if scheduler.alarm < self.woken_at:
            self.rearm()

    def carry_out(self, order: Order) -> None:
        match order:
            case Grant() | Refuse():
                lease = self.waiters.get(order.ticket)
                if lease is not None:  # it has not left meanwhile, and did more than touch the model
                    lease.hear(self.runs[order.run] if isinstance(order, Grant) else order.refusal)
            case Start(model, number):
                self.start(model, number)
            case Stop(model, number, why, decision):
                self.runs[number].stop(why)
                fields = whose(self.waiters.values(), decision.wanted) if decision else {}
                change = ModelChanged(model, number, Phase.STOPPING, why, decision=decision)
                self.announcer.say(change, f"stopping ({why})", {**fields, "model": model, **explained(decision)})

    def rearm(self) -> None:
        """One timer for everything the scheduler waits for. One that is too early is left: it finds nothing to do."""
        due = self.scheduler.deadline(self.ground.clock())
        if self.timer is not None:
            self.timer.cancel()
        self.timer = None if due is None else self.loop.call_at(due, self.wake)
        self.woken_at = math.inf if due is None else due

    def wake(self) -> None:
        self.timer, self.woken_at = None, math.inf
        self.tell(Woke())

    # -- runs

    def start(self, name: str, number: int) -> None:
        run = Run(number, self.config.models[name], self.config, self.ground)
        run.progressed = lambda progress: self.feed.publish(LoadProgressed(name, number, progress))
        run.ordered = self.following.take(run.model)
        self.runs[number] = run
        run.whose = whose(self.waiters.values(), name)
        self.ground.tasks.start(f"run {number} of {name}", self.see_through(run))
        self.announcer.say(ModelChanged(name, number, Phase.STARTING), "starting", run.whose)

    async def see_through(self, run: Run) -> None:
        """Ready at most once, Gone exactly once, whatever happens in between."""
        name = run.model.id
        why: Refusal | None = Internal(f"model {name}: its run was broken off")

        def ready() -> None:
            run.times.ready = self.ground.clock()
            took = run.times.ready - run.times.began
            pid = run.child.pid if run.child else None
            fields = {**run.whose, "pid": pid}
            run.whose = {"model": name}  # what comes now is nobody's
            self.tell(Ready(name, run.number))
            self.announcer.say(
                ModelChanged(name, run.number, Phase.READY, seconds=took), f"ready after {took:.3f} s", fields
            )
            self.loads.settle(name, None)

        try:
            why = await run.live(ready)
        finally:
            if why is not None:
                self.announcer.warn(why.message, run.whose)
            del self.runs[run.number]
            served = run.pool is not None and run.pool.served
            self.tell(Gone(name, run.number, why, served, run.starved))
            sight = self.scheduler.sight(name)
            self.loads.ended(name, why, sight)
            phase = sight.phase if sight else Phase.DOWN
            said, code = (why.message, why.code) if why else ("stopped", "")
            self.announcer.say(ModelChanged(name, run.number, phase, said, over=True, code=code))
            run.gone.set_result(None)

    # -- what the rest of the house asks for

    def lease(
        self, model: str, caller: str = "", request: str = "", *, wakes: bool = True, keeps: bool = True
    ) -> Lease:
        priority = self.config.priorities.get(model, 0)
        return Lease(self, Asked(next(self.tickets), model, caller, priority, wakes=wakes, keeps=keeps), request)

    async def load(self, model: str) -> None:
        """Returns when the model is ready; raises why it is not. A person's order: earlier failures are forgotten."""
        if self.closed:
            raise ShuttingDown("the proxy is shutting down: nothing is loaded any more")
        refuse_disabled(self.disabled, model)
        self.tell(ResetAsked(model))
        if self.scheduler.sight(model) is None:
            raise UnknownModel(f"there is no model {model!r} any more")
        loaded = self.loads.order(model)
        self.tell(LoadAsked(model))
        self.loads.review(self.scheduler.sight)
        await loaded

    async def unload(self, named: tuple[str, ...] | None = None) -> None:
        """Returns when nothing of them (of any model, if none is named) is left."""
        models = named if named is not None else latest_first(self.runs.values(), self.scheduler.snapshot())
        leaving = [run.gone for run in self.runs.values() if run.model.id in models]
        for model in models:
            self.loads.settle(model, Unloaded(f"model {model} was unloaded by order while it was being loaded"))
        self.tell(UnloadAsked(models))
        if leaving:
            await asyncio.wait(leaving)

    async def restart(self, model: str) -> None:
        self.tell(UnloadAsked((model,)))
        await self.load(model)

    def reset(self, model: str) -> None:
        before = self.scheduler.sight(model)
        self.tell(ResetAsked(model))
        if before is not None and before.phase in FALLEN:
            self.announcer.say(ModelChanged(model, 0, Phase.DOWN, "reset"))

    def replan(self, config: Config, disabled: Mapping[str, str] = NOTHING, plan: Plan | None = None) -> None:
        """Only what differs is touched: a run whose command is unchanged takes on the new settings where it stands.
        `plan` is that of the configuration, where somebody has made it already."""
        self.config, self.disabled = config, disabled
        self.ground.heart.every = config.heartbeat
        for run in self.runs.values():
            model = config.models.get(run.model.id)
            if model is not None and launch_key(model) == launch_key(run.model):
                run.adopt(model)
        self.tell(Replanned(plan or plan_of(config, disabled)))
        self.loads.review(self.scheduler.sight)

    def standings(self, *, everything: bool = True, only: Collection[str] | None = None) -> list[Standing]:
        """`everything`: also models that are down and of which there is nothing to tell. There may be a thousand.
        `only`: of these, and of those that are disabled."""
        leaks = self.ground.leaks.known
        lives = self.scheduler.state.lives
        wanted = lives.values() if only is None else [lives[model] for model in only if model in lives]
        told = [life for life in wanted if everything or notable(life) or life.model in leaks]
        sights = {life.model: life.sight() for life in told}
        return standings(sights, self.runs.values(), self.config, self.disabled, leaks)

    async def close(self, grace: float) -> None:
        """Nobody new; whoever is seated may finish within the grace, unless hurried; then everything is stopped."""
        self.closed = True
        self.tell(Closed())
        self.loads.settle_all(ShuttingDown("the proxy is shutting down: nothing is loaded any more"))
        if self.waiters:
            enough = self.loop.call_later(grace, self.drained.set)
            await self.drained.wait()
            enough.cancel()
        for run in self.runs.values():
            run.closing = True
        await self.unload()

    def hurry(self) -> None:
        """Ends every grace now: that of `close`, and those of the runs."""
        self.drained.set()
        for run in self.runs.values():
            run.hurry()
