"""A run on this machine: the model's own command, through the keeper.

The contract: `ended` once, `stop` safe twice, no child outlives it.
"""

from __future__ import annotations

import asyncio
import math
import signal
from collections.abc import Callable, Mapping

from llamaswap_py.config import command
from llamaswap_py.config.values import Model
from llamaswap_py.errors import Refusal
from llamaswap_py.launchers.child import Child, Exit, unheard
from llamaswap_py.launchers.keeper_link import KeeperLink, born
from llamaswap_py.launchers.records import Note, Records

OnOutput = Callable[[bytes], None]


def environment(model: Model, environ: Mapping[str, str]) -> dict[str, str]:
    return {**environ, **{key: value for key, _, value in (pair.partition("=") for pair in model.env)}}


def note_of(model: Model, records: Records | None) -> Note | None:
    """What must outlive us: only a model with a cmdStop may have started what no keeper ends."""
    if records is None or not model.cmd_stop.strip():
        return None
    return records.note(model.id, model.cmd_stop, model.env, model.unload_timeout)


class LocalRun:
    """One life of a model's server.

    `ended` comes when its command ended, asked to or not. A command that ends with 0 while `cmdStop` is set only
    started something elsewhere: then `detached` turns True, `ended` waits for `stop`, and whether it lives is the
    caller's probe to find out.
    """

    def __init__(
        self, link: KeeperLink, model: Model, child: Child, on_output: OnOutput, env: Mapping[str, str]
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.link = link
        self.model = model
        self.child = child
        self.on_output = on_output
        self.env = env
        self.detached = False
        self.ended: asyncio.Future[Exit] = self.loop.create_future()
        self.stopped: asyncio.Future[None] | None = None
        self.stopper: Child | None = None  # cmdStop's own process
        self.due = math.inf  # when patience with the stop ends
        self.timer: asyncio.TimerHandle | None = None
        self.note: Note | None = None
        child.exited.add_done_callback(self.leader_ended)

    @classmethod
    async def launch(
        cls,
        link: KeeperLink,
        rendered: Model,
        on_output: OnOutput,
        environ: Mapping[str, str],
        *,
        records: Records | None = None,
        ordered: Child | None = None,
    ) -> LocalRun:
        """Returns when the command runs; a refusal says why it does not. `rendered`: with its port. `ordered`: its
        process, where that was ordered before."""
        env, argv = environment(rendered, environ), command.argv(rendered.cmd)
        note = note_of(rendered, records)
        try:
            if note is not None:
                await note.save()
            if ordered is None:
                child = await link.spawn(argv, env, None, on_output)
            else:
                ordered.hand_on(on_output)
                child = await born(ordered, argv)
        except BaseException:
            if note is not None:
                note.remove()
            raise
        run = cls(link, rendered, child, on_output, env)
        run.noted(note)
        return run

    def noted(self, note: Note | None) -> None:
        self.note = note
        if note is not None:
            note.know(self.child.pid, self.child.started)

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def started(self) -> float:
        """When its process began, on the clock that `runtime.ports.stranger` compares with."""
        return self.child.started

    def leader_ended(self, exited: asyncio.Future[Exit]) -> None:
        how = exited.result()
        if how.code == 0 and self.model.cmd_stop and self.stopped is None:
            self.detached = True
            return
        if self.stopped is None:
            self.child.kill_tree()  # a server left behind by its command is nobody's
        self.end(how)

    def end(self, how: Exit) -> None:
        if not self.ended.done():
            self.ended.set_result(how)

    # -- stopping

    def stop(self, grace: float) -> asyncio.Future[None]:
        """Begins at once, and is over when nothing of it lives. Calls join; the shortest grace of them counts."""
        if self.stopped is None:
            self.stopped = self.loop.create_future()
            asks = self.asks_command()
            if not asks:
                self.child.signal_tree(signal.SIGTERM)
            self.link.spawn_task(f"stop {self.model.id}", self.halt(self.stopped, asks))
        self.hurry(self.loop.time() + grace)
        return asyncio.shield(self.stopped)

    def cut_short(self, grace: float) -> None:
        """Of a stop under way, no more than this is waited for."""
        if self.stopped is not None:
            self.hurry(self.loop.time() + grace)

    def hurry(self, due: float) -> None:
        if due >= self.due:
            return
        self.due = due
        if self.timer is not None:
            self.timer.cancel()
        self.timer = self.loop.call_at(due, self.force)

    def force(self) -> None:
        """The grace is over, for the run and for a cmdStop that hangs."""
        self.child.kill_tree()
        if self.stopper is not None:
            self.stopper.kill_tree()

    async def halt(self, stopped: asyncio.Future[None], asks: bool) -> None:
        try:
            if asks and not await self.command_stopped() and not self.child.gone.done():
                if self.asks_command():
                    self.say("Sending SIGTERM instead.")
                self.child.signal_tree(signal.SIGTERM)
            await self.child.over()
        finally:
            if self.timer is not None:
                self.timer.cancel()
            self.child.kill_tree()
            self.end(self.child.exited.result() if self.child.exited.done() else Exit())
            if self.note is not None:
                self.note.remove()
            self.on_output = unheard
            if not stopped.done():
                stopped.set_result(None)

    def asks_command(self) -> bool:
        """cmdStop is for what lives: the process it names, what a detached command started, and what one that was
        killed could not stop any more (a container, when its client was killed)."""
        if not self.model.cmd_stop or not self.child.exited.done():
            return bool(self.model.cmd_stop)
        return self.detached or self.child.exited.result().code is None

    async def command_stopped(self) -> bool:
        """Runs cmdStop. False: it could not, and the run needs the ordinary signal."""
        pid = command.NOBODY if self.child.exited.done() else self.child.pid
        argv = command.stop_argv(self.model.cmd_stop, pid)
        if not argv:
            return False
        try:
            self.stopper = await self.link.spawn(argv, self.env, None, self.on_output)
        except Refusal as error:
            self.say(f"cmdStop could not be run: {error.message}")
            return False
        if self.loop.time() >= self.due:  # the grace ended while it was being started
            self.stopper.kill_tree()
        how = await self.stopper.exited
        self.stopper.kill_tree()  # whatever it left
        await self.stopper.over()
        if how.code == 0:
            return True
        self.say(f"cmdStop ended with {how}.")
        return False

    @property
    def leaked(self) -> tuple[int, ...]:
        """After a stop: the processes of it that nobody can end."""
        return self.child.leaked

    def say(self, line: str) -> None:
        self.on_output(f"{line}\n".encode())
