"""What the tests of process trees share: who lives, who the keeper is, models whose processes cannot hide."""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from llamaswap_py.keeper import cgroups, table
from tests.whole.program import LONG, ROOT, Program, fake

CONTAINERS = ROOT / "tests" / "fakes" / "containers.py"


class Alive:
    """A pipe that processes hold open, with all they fork: when the last of them is gone, the kernel says so."""

    def __init__(self, folder: Path, name: str = "alive") -> None:
        self.path = folder / name
        os.mkfifo(self.path)

    def __enter__(self) -> Self:
        self.end = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        os.close(os.open(self.path, os.O_WRONLY))  # the kernel tells of no end before somebody's beginning
        self.poll = select.poll()
        self.poll.register(self.end, 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.end)

    @property
    def somebody(self) -> bool:
        return not self.poll.poll(0)

    def all_gone(self, seconds: float) -> bool:
        return bool(self.poll.poll(int(seconds * 1000)))

    def heard(self, count: int) -> bytes:
        """What was written into the pipe, once so many lines of it are."""
        said = b""
        own = os.open(self.path, os.O_WRONLY)  # else nobody's having it open yet would look like an end
        waiting = select.poll()
        waiting.register(self.end, select.POLLIN)
        while said.count(b"\n") < count:
            assert waiting.poll(int(LONG * 1000)), f"only this was heard: {said!r}"
            said += os.read(self.end, 1 << 16)
        os.close(own)
        return said

    def model(self, name: str, options: str = "", *before: str, **keys: object) -> str:
        """A model behind a shell that holds the pipe and does other things before."""
        lines = [f"exec 9>{self.path}", *before, f"exec {fake(options)}"]
        rows = [f"  {name}:", "    cmd: |", f"      sh -c '{'; '.join(lines)}'".replace("&;", "&")]
        return "\n".join([*rows, *(f"    {key}: {value}" for key, value in keys.items())]) + "\n"


# A grandchild that left session, environment and parent, deaf to SIGTERM, its output still the model's.
STRAY = 'trap "" TERM; setsid env -i sleep 600 & trap - TERM'


def together(*names: str) -> str:
    return f"groups:\n  all:\n    swap: false\n    members: [{', '.join(names)}]\n"


def children(pid: int) -> list[int]:
    return [row.pid for row in table.snapshot().values() if row.parent == pid and row.alive]


def keeper_of(program: Program) -> int:
    found = [pid for pid in children(program.process.pid) if b"llamaswap-keeper" in command_line(pid)]
    assert len(found) == 1, found
    return found[0]


@contextmanager
def another() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of the program's business."""
    with subprocess.Popen(["sleep", "600"]) as stranger:
        yield stranger
        stranger.kill()


PTRACE_SEIZE, PTRACE_DETACH, PTRACE_O_TRACEEXIT = 0x4206, 17, 0x40


@contextmanager
def held_back(pid: int) -> Iterator[None]:
    """A debugger holds the process at its exit: as with one that hangs in a driver, no signal ends it."""
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT) < 0:
        pytest.skip(f"this system lets no test hold a process: {os.strerror(ctypes.get_errno())}")
    yield
    assert ptrace(PTRACE_DETACH, pid, 0, 0) == 0, os.strerror(ctypes.get_errno())


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """The keyboard's end, and the one that a program reads."""
    keyboard, screen = os.openpty()
    yield keyboard, screen
    os.close(keyboard)
    os.close(screen)


def take_terminal() -> None:
    """A new process comes into the foreground of the terminal that is its input."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def group_of(pid: int) -> str:
    """The folder of the control group that a process is in."""
    return cgroups.folder_of(
        cgroups.own_group(cgroups.read(f"/proc/{pid}/cgroup")), cgroups.read("/proc/self/mountinfo")
    )


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def kill_at_once(*pids: int) -> None:
    """None of them sees another's end: all are stopped first."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            os.kill(pid, number)


def again(program: Program) -> str:
    """The flag with which another program takes this one's address."""
    return f"--listen={program.url.removeprefix('http://')}"


class Containers:
    def __init__(self, socket: Path) -> None:
        self.client = f"{sys.executable} -I -S {CONTAINERS} {socket}"
        self.socket = socket

    def ask(self, *words: str) -> int:
        return subprocess.run([*self.client.split(), *words], check=False, timeout=LONG).returncode


@contextmanager
def containers(folder: Path) -> Iterator[Containers]:
    """An engine beside the program; whatever it still runs at the end is ended."""
    socket = folder / "engine.sock"
    argv = [sys.executable, "-I", "-S", str(CONTAINERS), str(socket), "serve"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        yield Containers(socket)
        os.killpg(daemon.pid, signal.SIGKILL)
