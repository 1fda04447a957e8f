"""One process tree that the keeper holds for us: its output, its end, and when nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from llamaswap_py.keeper import trees

if TYPE_CHECKING:
    from llamaswap_py.keeper.messages import Message


READ = 1 << 16  # what a pipe holds: one call, one full pipe, then back to the loop
ROOM = memoryview(bytearray(READ))  # for all: what is kept takes the room of what came
LAST_WORDS = 16 * READ  # a leader's own last output fits one pipe; beyond this a surviving writer is talking

# Seconds in which the others of a tree may end with a leader who was told to. Mostly there are none, and looking for
# them would take the processor from that end, and from the start that follows.
COURTESY = 0.005
BREATH_SECONDS = 0.002  # between two reads: 32 MB of log a second are more than anybody reads


class Exit(msgspec.Struct, frozen=True):
    """What a process ended with. Neither code nor signal: its keeper died, and what was left of it was killed."""

    code: int | None = None
    signal: int | None = None
    oom: bool = False  # the kernel killed something of it for want of memory, as far as its control group tells

    def __str__(self) -> str:
        return f"{self.how}, out of memory" if self.oom else self.how

    @property
    def how(self) -> str:
        if self.code is not None:
            return f"exit code {self.code}"
        if self.signal is None:
            return "its keeper"
        try:
            name = signal.Signals(self.signal).name
        except ValueError:  # a real-time signal
            name = "a signal"
        return f"{name} ({self.signal})"


def unheard(data: bytes) -> None:
    """In place of whoever listened to a process that is over: he may hold it."""


class Child:
    """`exited` comes when the leader ends, all it wrote handed on before; `gone` when nothing of its tree lives.

    `stuck` comes before `gone`, or instead of it, where something of it long survives SIGKILL.
    """

    def __init__(
        self,
        number: int,
        serial: int,
        output: int,
        on_output: Callable[[bytes], None] | None,
        tell: Callable[[Message], None],
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.number = number
        self.serial = serial  # the number its processes carry in a limit
        self.pid = 0
        self.much = READ  # of one read: the next one waits a moment
        self.handle = -1  # on its leader
        self.started = 0.0  # on the clock of keeper.table.now
        self.word: asyncio.Future[Message] = self.loop.create_future()  # whether its command runs, or why not
        self.exited: asyncio.Future[Exit] = self.loop.create_future()
        self.gone: asyncio.Future[None] = self.loop.create_future()
        self.stuck: asyncio.Future[tuple[int, ...]] = self.loop.create_future()
        self.output = output
        self.early: list[bytes] = []  # said before anybody listened
        self.on_output = on_output or self.early.append
        self.tell = tell
        os.set_blocking(output, False)
        self.listen()

    def signal_tree(self, number: int) -> None:
        """The leader at once, where that can be: what goes through the keeper takes a while."""
        if not self.gone.done():
            told = self.handle >= 0 and all(trees.send_handle(self.handle, each) for each in (number, signal.SIGCONT))
            order = {"do": "signal", "id": self.number, "sig": int(number), "told": told}
            if told:
                self.loop.call_later(COURTESY, self.tell, order)  # whatever it left running
            else:
                self.tell(order)

    def kill_tree(self) -> None:
        if not self.gone.done():
            self.tell({"do": "kill", "id": self.number})

    @property
    def leaked(self) -> tuple[int, ...]:
        """The processes of it that nobody can end."""
        return self.stuck.result() if self.stuck.done() and not self.gone.done() else ()

    async def over(self) -> None:
        """Returns when nothing of it is left, or nothing that anybody could end."""
        news: list[asyncio.Future[Any]] = [self.gone, self.stuck]
        await asyncio.wait(news, return_when=asyncio.FIRST_COMPLETED)

    def hear_word(self, message: Message) -> None:
        if message["is"] == "spawned":
            self.pid, self.started = message["pid"], message["started"]
            self.handle = trees.hold(self.pid, self.serial)
        if not self.word.done():
            self.word.set_result(message)

    def hand_on(self, on_output: Callable[[bytes], None]) -> None:
        """To who comes later: what it has said, and what it says."""
        early, self.early = self.early, []
        if not self.gone.done():
            self.on_output = on_output
        for data in early:
            on_output(data)

    def listen(self) -> None:
        if self.output >= 0:
            self.loop.add_reader(self.output, self.hear)

    def hear(self) -> None:
        """Behind a full pipe the writer waits a moment: one that floods must not take the loop from everybody else."""
        if self.drain() >= self.much:
            self.loop.remove_reader(self.output)
            self.loop.call_later(BREATH_SECONDS, self.listen)

    def hear_in_pauses(self) -> None:
        """Nobody waits for its words any more. An engine at work whose threads wait for one another is not to be
        broken off for every line."""
        self.much = 1

    def drain(self) -> int:
        """One read. How much it was: 0 where nothing waits or nobody writes any more."""
        if self.output < 0:
            return 0
        try:
            data = ROOM[: os.readv(self.output, (ROOM,))].tobytes()
        except BlockingIOError:
            return 0
        if data:
            self.on_output(data)
        else:
            self.close_output()
        return len(data)

    def drain_rest(self) -> None:
        """What the leader said before it ended. A descendant that goes on writing must not hold us here."""
        taken = 0
        while taken < LAST_WORDS and (count := self.drain()):
            taken += count

    def close_output(self) -> None:
        if self.output >= 0:
            self.loop.remove_reader(self.output)
            os.close(self.output)
            self.output = -1

    def end(self, how: Exit) -> None:
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1
        try:
            self.drain_rest()
        finally:
            if not self.exited.done():
                self.exited.set_result(how)

    def stick(self, pids: Iterable[int]) -> None:
        if not self.stuck.done():
            self.stuck.set_result(tuple(pids))

    def vanish(self) -> None:
        try:
            self.drain_rest()
        finally:
            self.close_output()
            self.on_output = unheard
            if not self.gone.done():
                self.gone.set_result(None)
