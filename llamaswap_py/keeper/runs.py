"""One run as the keeper sees it: its leader, who else belongs to it, and what is wanted of them."""

from __future__ import annotations

import math
import signal
import sys

from llamaswap_py.keeper import cgroups, lifeline, table, trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from llamaswap_py.keeper.birth import Birth
    from llamaswap_py.keeper.process import Process

    Table = dict[int, Process]

FIRST_PAUSE = 0.002  # a killed process is gone in about a millisecond
LONGEST_PAUSE = 0.5  # a process that does not die of SIGKILL (in a dead disk's hands) is worth two looks a second
PATIENCE = 10.0  # a driver that gives back a big card's memory at the death takes seconds; longer it is worth a word


class Run:
    """From the birth of its leader until nothing of its tree lives."""

    def __init__(self, birth: Birth, pid: int, group: str) -> None:
        self.number = birth.number
        self.pid = pid
        self.serial = birth.serial
        self.mark = birth.mark
        self.group = group  # its control group's folder; empty where it has none
        leader = table.look(pid)
        self.started = leader.started if leader else table.now()
        self.program = birth.program
        self.tied: tuple[int, ...] = ()  # what its life hangs on, where it did not ask to die with us itself
        self.starting = False  # the command does not run yet
        self.ended = False  # the leader was reaped
        self.killing = math.inf  # since when
        self.stuck = False  # it was told that this does not kill it
        self.known: set[tuple[int, float]] = {(pid, self.started)}
        self.pause = FIRST_PAUSE
        self.next_look = math.inf

    def find(self, rows: Table, family: Table) -> list[Process]:
        """Who of it lives. `family`: all that descends from the keeper; elsewhere than on Linux orphans leave it."""
        field = family if sys.platform == "linux" else since(rows, self.started)
        roots = {row.pid for row in field.values() if row.identity in self.known or row.session == self.pid}
        roots |= cgroups.members(self.group)
        found = trees.closed(field, roots | self.orphans(field, roots), self.started)
        living = [row for row in found.values() if row.alive]
        self.known = {row.identity for row in living}
        return living

    def orphans(self, field: Table, roots: set[int]) -> set[int]:
        """Those that left tree and session, by what they inherited."""
        strays = [row.pid for row in field.values() if row.pid not in roots and row.parent not in field]
        branded = {pid for pid in strays if trees.carries(pid, self.serial)}
        return branded | table.marked((pid for pid in strays if pid not in branded), self.mark)

    def signal(self, living: list[Process], number: int) -> None:
        numbers = [number]
        if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT):
            numbers.append(signal.SIGCONT)  # a stopped process can only act on it once it goes on
        for process in living:
            trees.send(process, *numbers)

    def kill(self, now: float) -> None:
        self.killing = min(self.killing, now)
        self.pause = FIRST_PAUSE
        self.next_look = 0.0

    def over(self) -> None:
        """Nothing of it lives."""
        lifeline.close(self.tied)
        cgroups.remove(self.group)

    def hopeless(self, now: float) -> bool:
        """True once: SIGKILL was sent long ago, and something of it is still there."""
        if self.stuck or now - self.killing < PATIENCE:
            return False
        self.stuck = True
        return True

    def look_soon(self, when: float) -> None:
        self.next_look = min(self.next_look, when)

    def look_again(self, now: float) -> None:
        """Looks grow apart. Where orphans come to us, each death is told, and only a kill must be repeated."""
        told = sys.platform == "linux" and math.isinf(self.killing)
        self.next_look = math.inf if told else now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)


def since(rows: Table, started: float) -> Table:
    """Younger than the run, and so not certainly a stranger."""
    return {pid: row for pid, row in rows.items() if row.started >= started}
