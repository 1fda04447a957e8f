"""How every model stands, for the Models view: all of it to who comes, then the rows that differ, a few times a second.

Looks at nothing unless it is open."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from llamaswap_py.config.values import Config
from llamaswap_py.library.described import SAID_NOTHING, UNKNOWN, Described, Descriptions, Said, said_by
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.threads import in_thread
from llamaswap_py.schedule.line import places
from llamaswap_py.schedule.plan import Evict, Phase
from llamaswap_py.server import messages
from llamaswap_py.server.audience import Message, Tell
from llamaswap_py.server.marks import Marks
from llamaswap_py.server.rows import Beside, group_names, remote_rows, row, rules
from llamaswap_py.server.turns import Turn, pause

if TYPE_CHECKING:
    from llamaswap_py.server.shapes.models import Rules, Standing, Waiting


class Standings:
    def __init__(self, conductor: Conductor, tell: Tell) -> None:
        self.conductor = conductor
        self.tell = tell
        self.is_open = False
        self.turn = Turn(self.refresh)
        self.said_at = 0.0  # loop time
        self.offset = 0.0
        self.told: dict[str, Standing] = {}
        self.marks = Marks(conductor)
        self.config: Config | None = None  # the one that what follows is of
        self.said: Mapping[str, Said] = {}
        self.groups: Mapping[str, str] = {}
        self.descriptions = Descriptions()
        self.described: Mapping[str, Described] = {}
        self.room: Mapping[str, tuple[str, ...]] = {}
        self.room_of: tuple[object, int] = (None, -1)  # the plan and the state for which that was found out
        self.memory: Mapping[str, int] = {}
        self.speeds: Mapping[str, float] = {}

    # -- its life

    def open(self) -> None:
        """The first page is here."""
        self.is_open = True
        self.offset = time.time() - self.conductor.ground.clock()
        self.told = {}
        self.marks.forget()
        self.config = None
        self.refresh()

    def close(self) -> None:
        self.is_open = False
        self.turn.stop()

    def touch(self, models: Collection[str] = (), near: bool = False) -> None:
        """Something may have changed; of these models for certain. `near`: if of others, then by a request."""
        if not self.is_open:
            return
        if models or not near:
            self.marks.touch(models, near)
        if near and self.turn.timer is not None:
            return  # it can wait as long as what was heard before
        up = self.conductor.scheduler.state.up.values()
        self.turn.at(self.said_at + pause(sum(len(life.seats) for life in up) if near else 0))

    # -- what is told

    def whole(self) -> bytes:
        """Who comes later is told what the others know, and all of them the same from then on."""
        self.refresh()
        return self.again()

    def again(self) -> bytes:
        """For a page that missed some."""
        return messages.standings(True, list(self.told.values()), [])

    @property
    def rules(self) -> Rules:
        return rules(self.conductor.config)

    def refresh(self) -> None:
        """Tells what differs from what was told."""
        self.turn.stop()
        if not self.is_open:
            return
        self.said_at = self.conductor.loop.time()
        everything = self.config is not self.conductor.config
        if everything:
            self.adopt(self.conductor.config)
        changed, all_of_them = self.marks.changed()
        self.look_for_room()
        rows = [each for each in self.rows(None if everything else changed) if self.told.get(each["id"]) != each]
        gone = self.forget() if everything or all_of_them else []
        self.told.update({each["id"]: each for each in rows})
        if rows or gone:
            self.tell(Message(messages.standings(False, rows, gone), "standings", self.again))

    def forget(self) -> list[str]:
        """Of models that are neither configured nor up any more."""
        config = self.conductor.config
        remote = (f"{peer.id}/{model}" for peer in config.peers.values() for model in peer.models)
        there = {*config.models, *self.marks.marks, *remote}
        gone = [model for model in self.told if model not in there]
        for model in gone:
            del self.told[model]
        return gone

    def rows(self, models: Collection[str] | None) -> list[Standing]:
        conductor, waiting = self.conductor, self.waiting()
        lives, config = conductor.scheduler.state.lives, conductor.config
        rows = []
        for known in conductor.standings(only=models):
            name = known.model.id
            said = self.said.get(name, SAID_NOTHING)
            beside = Beside(
                said,
                self.described.get(said.file, UNKNOWN),
                self.memory.get(name, 0),
                self.speeds.get(name),
                waiting.get(name, ()),
                self.room.get(name, ()),
                name in config.discovered,
                self.groups.get(name, ""),
            )
            rows.append(row(known, lives.get(name), beside, self.offset))
        return rows + (remote_rows(config.peers.values()) if models is None else [])

    def waiting(self) -> dict[str, list[Waiting]]:
        found: dict[str, list[Waiting]] = {}
        now = self.conductor.ground.clock()
        for place in places(self.conductor.scheduler.state, now):
            since = round(now - place.waited + self.offset, 2)
            row: Waiting = {"position": place.position, "caller": place.caller, "since": since}
            found.setdefault(place.model, []).append(row)
        return found

    # -- what takes longer, in threads

    def adopt(self, config: Config) -> None:
        self.config = config
        self.said = {name: said_by(model) for name, model in config.models.items()}
        self.groups = group_names(config)
        files = [said.file for said in self.said.values()]
        reading = in_thread(lambda: self.descriptions.of(files), "headers of models")
        reading.add_done_callback(lambda done: self.learn(done.result()))

    def learn(self, described: Mapping[str, Described] | None) -> None:
        before, self.described = self.described, described or {}
        differing = [file for file in self.described if self.described[file] != before.get(file, UNKNOWN)]
        self.touch([name for name, said in self.said.items() if said.file in differing])

    def look_for_room(self) -> None:
        """Who would have to go for whom, whenever what is up has changed."""
        state = self.conductor.scheduler.state
        key = state.plan, state.epoch
        if key == self.room_of:
            return
        self.room_of = key
        plan, models = state.plan, list(state.lives)
        world = {life.model: life.row() for life in state.up.values() if life.phase is not Phase.STOPPING}

        def look() -> Mapping[str, tuple[str, ...]]:
            verdicts = {model: plan.policy(model, world) for model in models} if world else {}
            return {name: each.models for name, each in verdicts.items() if isinstance(each, Evict) and each.models}

        looking = in_thread(look, "who makes room")
        looking.add_done_callback(lambda done: self.make_room(done.result()))

    def make_room(self, room: Mapping[str, tuple[str, ...]] | None) -> None:
        before, self.room = self.room, room or {}
        self.touch([name for name in {*before, *self.room} if before.get(name) != self.room.get(name)])
