"""Our end of the keeper: start it, order children from it, hear what becomes of them, start another if it dies."""

from __future__ import annotations

import asyncio
import math
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamaswap_py.errors import StartFailed, SystemLimit
from llamaswap_py.keeper import table, trees
from llamaswap_py.launchers import refusals
from llamaswap_py.launchers.channel import Channel
from llamaswap_py.launchers.child import Child, Exit
from llamaswap_py.launchers.sweep import Fallen, sweep

if TYPE_CHECKING:
    from llamaswap_py.keeper.messages import Message
    from llamaswap_py.keeper.process import Process

SpawnTask = Callable[[str, Coroutine[Any, Any, None]], object]

# Isolated and without site-packages: a start of some tens of milliseconds, and about 10 MB of memory. The package's
# folder comes last on the path, so that nothing installed beside it can stand in for the standard library.
PROGRAM = (
    "import sys; sys.path.append(sys.argv[2]); "
    "from llamaswap_py.keeper.main import main; main(int(sys.argv[3]), int(sys.argv[4]))"
)
COMMAND = (sys.executable, "-I", "-S", "-X", "utf8", "-c", PROGRAM, "llamaswap-keeper")
ROOT = str(Path(__file__).resolve().parents[2])


class KeeperLink:
    """Made by `start`. Every child ordered through it is dead once `close` returns."""

    def __init__(self, environ_token: str, nofile: int | None, spawn_task: SpawnTask) -> None:
        self.token = environ_token
        self.crest = trees.crest(environ_token)
        self.nofile = -1 if nofile is None else nofile
        self.spawn_task = spawn_task
        self.loop = asyncio.get_running_loop()
        self.children: dict[int, Child] = {}
        self.pings: deque[Callable[[], None]] = deque()  # called in turn, when the keeper answers to a ping
        self.last = 0
        self.closing = False
        self.swept = asyncio.Event()
        self.swept.set()
        self.keeper: subprocess.Popen[bytes]
        self.opened: float  # when this keeper came, on the clock that starts of processes are written in
        self.channel: Channel

    @classmethod
    async def start(cls, *, environ_token: str, nofile: int | None, spawn_task: SpawnTask) -> KeeperLink:
        """`nofile`: the soft limit on descriptors that children get; None: as ours is now."""
        link = cls(environ_token, nofile, spawn_task)
        trees.adopt_orphans()  # what a dead keeper leaves then comes to us
        link.open()
        return link

    def open(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.opened = math.floor(table.now())  # starts of processes are whole seconds on some systems
        with theirs:
            number = theirs.fileno()
            self.keeper = subprocess.Popen(
                [*COMMAND, ROOT, str(number), str(self.nofile)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(number,),
                start_new_session=True,
            )
        self.channel = Channel(ours, self.hear, self.lose)

    @property
    def pid(self) -> int:
        return self.keeper.pid

    # -- orders

    async def spawn(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: str | None, on_output: Callable[[bytes], None]
    ) -> Child:
        """Returns when the command runs; StartFailed says why it does not, SystemLimit that nothing could run now."""
        if not argv or not argv[0]:
            raise StartFailed("The command is empty.")
        try:
            await self.ready()
            child = self.order(argv, env, cwd, on_output)
        except OSError as error:
            raise SystemLimit(refusals.at_our_limit(argv[0], error)) from error
        return await born(child, argv, cwd)

    async def ready(self) -> None:
        """A dead keeper's children are gone before the next keeper has any."""
        await self.swept.wait()
        if self.closing:
            raise StartFailed("The server is shutting down.")
        if not self.channel.open:
            self.open()

    def order_after(self, old: Child, argv: Sequence[str], env: Mapping[str, str]) -> Child | None:
        """To be begun as soon as nothing of the old one lives. None where the keeper is not there to do it."""
        if self.closing or not self.swept.is_set() or not self.channel.open or old.gone.done() or not argv:
            return None
        try:
            return self.order(argv, env, None, None, after=old.number)
        except OSError:  # our limit on descriptors: it may be over when the time has come
            return None

    def order(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: str | None,
        on_output: Callable[[bytes], None] | None,
        after: int = 0,
    ) -> Child:
        self.last += 1
        number, serial = self.last, trees.serial(self.crest, self.last)
        output, writing = os.pipe()
        child = self.children[number] = Child(number, serial, output, on_output, self.tell)
        mark = trees.mark(self.token, number)
        words, inherited = list(argv), {**env, trees.MARK: mark.partition("=")[2]}
        # Mostly all of it is ASCII: one look at the whole is cheaper than one at each, and a server waits for this.
        if not "".join((*words, *inherited, *inherited.values(), cwd or "")).isascii():
            words, inherited = [carried(word) for word in words], {carried(k): carried(inherited[k]) for k in inherited}
            cwd = cwd and carried(cwd)
        order = {"do": "spawn", "id": number, "after": after, "serial": serial, "mark": mark}
        order |= {"argv": words, "env": inherited, "cwd": cwd}
        self.channel.send(order, writing)
        return child

    def tell(self, message: Message) -> None:
        if "id" in message and message["id"] not in self.children:
            return  # nothing is wanted any more of who is gone
        self.channel.send(message)

    # -- news

    def hear(self, message: Message) -> None:
        if message["is"] == "well":
            self.pings.popleft()()
            return
        child = self.children.get(message["id"])
        if child is None:
            return
        match message["is"]:
            case "spawned":
                child.hear_word(message)
            case "refused":
                self.forget(child)
                child.hear_word(message)
            case "exited":
                child.end(Exit(message["code"], message["signal"], message["oom"]))
            case "stuck":
                child.stick(message["pids"])
            case "gone":
                self.forget(child)

    def forget(self, child: Child) -> None:
        del self.children[child.number]
        child.vanish()

    # -- the keeper's own end

    def lose(self) -> None:
        """The line broke: by our closing, or because the keeper died."""
        self.pings.clear()
        if not self.closing:
            self.swept.clear()
            self.spawn_task("sweep after the keeper", self.clear())

    async def clear(self) -> None:
        lost = list(self.children.values())
        survivors: list[Process] = []
        try:
            await self.bury()
            # What outlived an earlier keeper, too; and a clock may have been set back meanwhile.
            since = min([self.opened, *(child.started for child in lost if child.pid)])
            survivors = await sweep(Fallen(self.pid, since, self.token, tuple(lost)))
        finally:
            self.mourn(lost, survivors)
            self.swept.set()

    def mourn(self, lost: Collection[Child], survivors: Iterable[Process] = ()) -> None:
        """They are over; those of which something cannot be killed stay stuck, for nobody is left to see its end."""
        for child in lost:
            stuck = [row.pid for row in survivors if row.session == child.pid or trees.carries(row.pid, child.serial)]
            child.hear_word(lost_with_keeper(child))
            child.end(Exit())
            if stuck:
                child.stick(stuck)
            else:
                self.forget(child)

    async def bury(self) -> None:
        """The keeper's last word; a thread waits, since the loop's own watchers differ and its end is at hand."""
        await self.loop.run_in_executor(None, self.keeper.wait)

    async def close(self) -> None:
        """Ends the keeper and every child with it. Safe twice."""
        await self.swept.wait()
        self.closing = True
        self.channel.close()
        await self.bury()
        self.mourn(list(self.children.values()))


async def born(child: Child, argv: Sequence[str], cwd: str | None = None) -> Child:
    """Of one that is ordered: returns when the command runs."""
    try:
        word = await child.word
    except asyncio.CancelledError:
        child.kill_tree()
        raise
    if word["is"] == "refused":
        raise refusals.refusal(word, argv, cwd)
    return child


def lost_with_keeper(child: Child) -> Message:
    return {"is": "refused", "id": child.number, "step": "keeper", "errno": 0, "text": ""}


def carried(text: str) -> str:
    """Text whose bytes survive the way: the keeper reads and writes as UTF-8, whatever our own encoding of names is."""
    return os.fsencode(text).decode("utf-8", "surrogateescape")
