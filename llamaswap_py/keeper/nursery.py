"""What is to run, until its command does: at once or behind another run, in one step or by a fork."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal

from llamaswap_py.keeper import cgroups, disks, lifeline, messages
from llamaswap_py.keeper.birth import Birth, make_expendable
from llamaswap_py.keeper.line import CHUNK
from llamaswap_py.keeper.runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from llamaswap_py.keeper.line import Line
    from llamaswap_py.keeper.messages import Message


@contextlib.contextmanager
def killed_at_a_fault(pid: int, *descriptors: int) -> Iterator[None]:
    """Of a child that nobody knows yet: it must not live on where it is told as refused."""
    try:
        yield
    except OSError:
        os.kill(pid, signal.SIGKILL)
        for each in descriptors:
            os.close(each)
        raise


class Nursery:
    """`runs`: all there are; who is born here joins them. `place`: where control groups may be made."""

    def __init__(self, line: Line, runs: dict[int, Run], place: str) -> None:
        self.line = line
        self.runs = runs
        self.place = place
        self.waiting: dict[int, Birth] = {}  # for another run's end, by the number of their own
        self.births: dict[int, Run] = {}  # by the descriptor that tells whether the command runs
        self.near: dict[str, bool] = {}  # programs that ran, and whether they may be run in one step

    def spawn(self, order: Message, output: int) -> None:
        birth = Birth(order, output)
        if birth.after in self.runs or birth.after in self.waiting:
            self.waiting[birth.number] = birth
        else:
            self.begin(birth)

    def begin(self, birth: Birth) -> None:
        group = cgroups.make(self.place, birth.group)
        try:
            if group or not self.near.get(birth.program) or not self.make(birth):
                self.fork(birth, group)
        except OSError as error:
            cgroups.remove(group)
            self.refuse(birth.number, {"step": "fork", "errno": error.errno, "text": error.strerror})
        finally:
            os.close(birth.output)

    def make(self, birth: Birth) -> bool:
        """In one step, where the child has to do nothing itself. False where it fails; then `fork` will tell why."""
        ends = lifeline.new()
        pid = birth.spawn()
        if not pid:
            lifeline.close(ends)
            return False
        with killed_at_a_fault(pid, *ends):
            lifeline.tie(ends, pid)
            run = Run(birth, pid, "")
        run.tied = ends
        self.runs[birth.number] = run
        self.near[birth.program] = make_expendable(pid)
        self.tell_birth(run)
        return True

    def fork(self, birth: Birth, group: str) -> None:
        ours = [self.line.line.fileno(), *(end for run in self.runs.values() for end in run.tied)]
        pid, told = birth.fork(group, ours)
        with killed_at_a_fault(pid, told):
            run = Run(birth, pid, group)
            self.line.selector.register(told, selectors.EVENT_READ)
        run.starting = True
        self.runs[birth.number] = self.births[told] = run

    def settle(self, run: Run) -> None:
        """It ended before we read that it began."""
        for told in [told for told, other in self.births.items() if other is run]:
            self.born(told)

    def follow(self, over: int) -> None:
        """The run with this number is no more, or never will be."""
        if not self.line.open:
            return  # all are to end
        for birth in [birth for birth in self.waiting.values() if birth.after == over]:
            self.begin(self.waiting.pop(birth.number))

    def cancel(self, number: int) -> None:
        """One that waits; who was gone before the word came is none."""
        birth = self.waiting.pop(number, None)
        if birth is not None:
            os.close(birth.output)
            self.refuse(number, {"step": "wait", "errno": 0, "text": ""})

    def refuse(self, number: int, why: Message) -> None:
        self.line.say({"is": "refused", "id": number, **why})
        self.follow(number)

    def tell_birth(self, run: Run) -> None:
        self.line.say({"is": "spawned", "id": run.number, "pid": run.pid, "started": run.started})

    def born(self, told: int) -> None:
        run = self.births.pop(told)
        complaint = os.read(told, CHUNK)
        self.line.selector.unregister(told)
        os.close(told)
        run.starting = False
        if complaint:
            del self.runs[run.number]
            run.over()
            self.refuse(run.number, messages.unpack(complaint))
            return
        self.tell_birth(run)
        if run.program and run.program not in self.near:
            self.near[run.program] = lifeline.is_possible() and disks.lies_here(run.program)
