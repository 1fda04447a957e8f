"""The keeper: the parent of every child. It spawns on request, reaps, signals trees, and kills all when we are gone.

A program of its own, on the standard library alone, single-threaded, deaf to the terminal. It decides nothing else.
"""

from __future__ import annotations

import math
import os
import selectors
import signal
import socket
import sys
import time

from llamaswap_py.keeper import cgroups, table, trees
from llamaswap_py.keeper.line import CHUNK, Line
from llamaswap_py.keeper.nursery import Nursery
from llamaswap_py.keeper.runs import FIRST_PAUSE, LONGEST_PAUSE, PATIENCE, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from llamaswap_py.keeper.messages import Message

DEAF = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTSTP", "SIGPIPE", "SIGXFSZ", "SIGCHLD")
THRIFT = 4  # between two looks at the table, so many times what the last one cost: a storm of deaths stays cheap


class Keeper:
    """The loop: words from the proxy, deaths of children, looks that are due."""

    def __init__(self, line: socket.socket) -> None:
        self.runs: dict[int, Run] = {}
        self.place = cgroups.place()
        if self.place:
            cgroups.count_memory(self.place)
        self.looked = 0.0
        self.spare = 0.0
        self.selector = selectors.DefaultSelector()
        self.bell, ring = os.pipe()
        for end in (self.bell, ring):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
        self.line = Line(line, self.selector)
        self.selector.register(self.bell, selectors.EVENT_READ)
        self.nursery = Nursery(self.line, self.runs, self.place)

    def serve(self) -> None:
        while self.line.open:
            for key, events in self.selector.select(self.patience()):
                self.attend(key.fd, events)
            self.reap()
            self.look()
            self.line.flush()

    def attend(self, descriptor: int, events: int) -> None:
        if descriptor == self.bell:
            silence(self.bell)
        elif descriptor in self.nursery.births:
            self.nursery.born(descriptor)
        elif events & selectors.EVENT_READ:
            self.listen()

    def patience(self) -> float | None:
        due = min((run.next_look for run in self.runs.values()), default=math.inf)
        return None if due == math.inf else max(0.0, due - time.monotonic())

    # -- the line to the proxy

    def listen(self) -> None:
        for message in self.line.receive():
            self.obey(message)

    def obey(self, order: Message) -> None:
        if order["do"] == "spawn":
            self.nursery.spawn(order, self.line.outputs.pop(0))
        elif order["do"] == "ping":
            self.line.say({"is": "well"})
        elif (run := self.runs.get(order["id"])) is None:
            if order["do"] == "kill":
                self.nursery.cancel(order["id"])
        elif order["do"] == "kill":
            run.kill(time.monotonic())
        else:
            told = run.pid if order["told"] else 0  # the leader, by the proxy itself
            run.signal([process for process in self.find(run) if process.pid != told], order["sig"])

    # -- deaths

    def reap(self) -> None:
        """Everyone's last word, the leaders' and the adopted orphans' alike."""
        leaders = {run.pid: run for run in self.runs.values() if not run.ended}
        deaths = 0
        while (death := next_death()) is not None:
            pid, status = death
            deaths += 1
            if pid in leaders:
                self.bury(leaders[pid], status)
        for run in self.runs.values():
            if deaths and run.ended:  # this death may have been the last of its tree
                run.look_soon(self.looked + self.spare)

    def bury(self, run: Run, status: int) -> None:
        self.nursery.settle(run)
        if run.number not in self.runs:
            return
        run.ended = True
        run.pause = FIRST_PAUSE
        code = os.waitstatus_to_exitcode(status)
        ending = {"code": code, "signal": None} if code >= 0 else {"code": None, "signal": -code}
        self.line.say({"is": "exited", "id": run.number, **ending, "oom": cgroups.ran_out_of_memory(run.group)})

    # -- trees

    def find(self, run: Run) -> list[table.Process]:
        """For a signal: what it misses is met by the next one, or by the kill."""
        family = table.family()
        if family is not None:
            return run.find(family, family)
        rows = table.snapshot()
        return run.find(rows, trees.below(rows, os.getpid()))

    def look(self) -> None:
        """What is wanted of the runs whose look is due, from one view of the table."""
        begun = time.monotonic()
        due = [run for run in self.runs.values() if run.next_look <= begun]
        if due and no_strays(self.runs.values()):
            due = [run for run in due if not self.bid_farewell(run)]
        if not due:
            return
        rows = table.snapshot()
        family = trees.below(rows, os.getpid())
        found = {run: run.find(rows, family) for run in due}
        self.looked = time.monotonic()
        self.spare = THRIFT * (self.looked - begun)
        for run in due:
            run.look_again(self.looked)
        self.reap()  # a tree that is gone holds no number either; who died since that view asks for another one
        for run, living in found.items():
            if run.number in self.runs:
                self.settle(run, living)

    def settle(self, run: Run, living: list[table.Process]) -> None:
        if run.killing < math.inf:
            cgroups.kill(run.group)
            run.signal(living, signal.SIGKILL)
        if (living or not self.bid_farewell(run)) and run.hopeless(time.monotonic()):
            self.line.say({"is": "stuck", "id": run.number, "pids": [row.pid for row in living] or [run.pid]})

    def bid_farewell(self, run: Run) -> bool:
        if not run.ended:
            return False
        del self.runs[run.number]
        run.over()
        self.line.say({"is": "gone", "id": run.number})
        self.nursery.follow(run.number)
        return True

    # -- the end

    def end(self) -> None:
        """The proxy is gone, however it went: so goes everything below us, until nothing that can die is left."""
        self.line.close()
        for told in self.nursery.births:
            self.selector.unregister(told)
        pause = FIRST_PAUSE
        over = time.monotonic() + PATIENCE
        groups = [run.group for run in self.runs.values() if run.group]
        while (living := self.everyone()) and time.monotonic() < over:
            for group in groups:
                cgroups.kill(group)
            for process in living:
                trees.send(process, signal.SIGKILL)
            self.selector.select(pause)
            silence(self.bell)
            pause = min(pause * 2, LONGEST_PAUSE)
        for group in groups:
            cgroups.remove(group)

    def everyone(self) -> list[table.Process]:
        while next_death() is not None:
            pass
        rows = table.snapshot()
        family = trees.below(rows, os.getpid())
        found = dict(family)
        for run in self.runs.values():
            found.update((process.pid, process) for process in run.find(rows, family))
        return [process for process in found.values() if process.alive]


def silence(bell: int) -> None:
    try:
        os.read(bell, CHUNK)
    except BlockingIOError:
        return


def next_death() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def no_strays(runs: Iterable[Run]) -> bool:
    """No child but leaders: what outlived its leader would be one. Spares an ordinary stop the whole table."""
    children = table.own_children()
    return children is not None and children <= {run.pid for run in runs if not run.ended}


def deafen() -> None:
    """Handlers that do nothing, not SIG_IGN: a child must not inherit deafness through exec."""
    for name in DEAF:
        signal.signal(getattr(signal, name), lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def restore_descriptors(soft: int) -> None:
    """Our children get the limit the proxy was started with, not the one it raised for itself."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if soft >= 0 and (hard == resource.RLIM_INFINITY or soft <= hard):
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def main(descriptor: int, nofile: int) -> None:
    """`nofile`: the soft limit on descriptors for children; negative: as it is."""
    deafen()
    trees.adopt_orphans()
    restore_descriptors(nofile)
    line = socket.socket(fileno=descriptor)
    line.set_inheritable(False)
    line.setblocking(False)
    keeper = Keeper(line)
    try:
        keeper.serve()
    finally:
        keeper.end()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
