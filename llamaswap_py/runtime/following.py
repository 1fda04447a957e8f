"""The start that follows a stop, ordered together with it: the keeper carries it out as soon as the old server is gone,
while the news of that is still on its way to us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from llamaswap_py.config import command
from llamaswap_py.config.values import Config, Model
from llamaswap_py.launchers.child import Child
from llamaswap_py.launchers.local import environment
from llamaswap_py.runtime import ports
from llamaswap_py.schedule.foresight import succession
from llamaswap_py.schedule.queue import Claim
from llamaswap_py.schedule.scheduler import Scheduler

if TYPE_CHECKING:
    from llamaswap_py.runtime.runs import Ground, Run


class Ordered(msgspec.Struct, eq=False):
    """A command that is to begin when an old one is gone."""

    ground: Ground
    model: Model
    rendered: Model
    port: int | None
    old: Child
    child: Child

    def __repr__(self) -> str:
        return f"<run {self.child.number} of {self.model.id} after run {self.old.number}>"

    @property
    def due(self) -> bool:
        """Its time has come, and it has begun or will: one that was refused is tried again, for the reason."""
        return self.old.gone.done() and (self.child.pid > 0 or not self.child.gone.done())

    def drop(self) -> None:
        """It begins no more, or is ended."""
        if self.child.gone.done():
            self.forget()
            return
        self.ground.dropped.add(self.child)
        self.child.kill_tree()
        self.child.gone.add_done_callback(lambda _: self.forget())

    def forget(self) -> None:
        self.ground.dropped.discard(self.child)
        if self.port is not None:
            self.ground.taken_ports.discard(self.port)


class Following:
    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.ordered: Ordered | None = None
        self.claims: tuple[Claim, ...] = ()  # as they were when it was last looked

    def look_ahead(self, scheduler: Scheduler, runs: Mapping[int, Run], config: Config) -> None:
        """Whoever waits for nothing but one to be gone is ordered by now."""
        self.claims = scheduler.claims
        coming = succession(scheduler.state, self.ground.clock()) if self.claims else None
        if coming is None:
            self.dismiss()
        else:
            name = coming.model
            self.expect(runs.get(coming.run), config.models.get(name), config.ports.get(name))

    def expect(self, old: Run | None, model: Model | None, port: int | None) -> None:
        """From now on this follows that, or nothing does. `port`: the one it prefers."""
        leaving = old.child.child if old is not None and old.child is not None else None
        possible = old is not None and model is not None and self.may_follow(old.model, model)
        ordered = self.ordered
        if possible and ordered is not None and ordered.model is model and ordered.old is leaving:
            return
        self.dismiss()
        if possible and leaving is not None and model is not None and not self.ground.dropped:
            self.ordered = self.order(leaving, model, port)

    def may_follow(self, old: Model, model: Model) -> bool:
        """Where nothing is waited for but the end of the old one's processes, and the new one is nothing but its own:
        a card's memory comes back later than its holder's end, and a cmdStop may end something elsewhere."""
        ground = self.ground
        plain = bool(model.cmd.strip()) and not model.cmd_stop.strip() and not old.cmd_stop.strip()
        return plain and not (ground.cards and ground.cards.seen) and model.id not in ground.leaks.known

    def order(self, leaving: Child, model: Model, preferred: int | None) -> Ordered | None:
        """First the order, then the look whether the port is free: meanwhile the keeper is at work."""
        port = preferred if "${PORT}" in model.cmd else None
        if "${PORT}" in model.cmd and (port is None or port in self.ground.taken_ports):
            return None
        rendered = command.render(model, port)
        env = environment(rendered, self.ground.environ)
        child = self.ground.link.order_after(leaving, command.argv(rendered.cmd), env)
        if child is None:
            return None
        ordered = Ordered(self.ground, model, rendered, port, leaving, child)
        if port is not None:
            self.ground.taken_ports.add(port)
            if not ports.free(port):
                ordered.drop()
                return None
        return ordered

    def take(self, model: Model) -> Ordered | None:
        """By a start whose time has come."""
        ordered, self.ordered = self.ordered, None
        if ordered is None or (ordered.model is model and ordered.due):
            return ordered
        ordered.drop()
        return None

    def dismiss(self) -> None:
        if self.ordered is not None:
            self.ordered.drop()
            self.ordered = None
