"""How a run's first process comes to be, with all that it inherits: session, signals, limits, death with its parent.

By fork and exec, written out: the keeper must not block on an exec from a dead network disk. Where the program is known
to lie on this machine, the system makes the process in one step: the keeper's memory is not copied for that, while an
old server ends and a new one is waited for.
"""

from __future__ import annotations

import errno
import os

from llamaswap_py.keeper import cgroups, messages, trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from llamaswap_py.keeper.messages import Message

EXPENDABLE = "/proc/self/oom_score_adj"  # from -1000, never, in thousandths of the machine's memory
MORE_EXPENDABLE, MOST_EXPENDABLE = 500, 1000  # as if it held half of the memory more than it does


def expendability() -> str:
    """Where memory runs out, the kernel takes a model's server before the proxy, however well the manager guards that
    one. Without Linux, or without its /proc, it decides by size alone."""
    ours = cgroups.read(EXPENDABLE).strip()
    return str(min(max(int(ours), 0) + MORE_EXPENDABLE, MOST_EXPENDABLE)) if ours else ""


EXPENDABILITY = expendability()


def make_expendable(pid: int) -> bool:
    """What a forked one does itself. False for a program with rights of its own, or that must not be read."""
    return not EXPENDABILITY or cgroups.write(f"/proc/{pid}/oom_score_adj", EXPENDABILITY)


class Birth:
    """An order, and what is known of it before its time has come."""

    def __init__(self, order: Message, output: int) -> None:
        self.number: int = order["id"]
        self.after: int = order["after"]  # the run whose end it waits for
        self.serial: int = order["serial"]
        self.mark: str = order["mark"]
        self.argv: list[str] = order["argv"]
        self.env: dict[str, str] = order["env"]
        self.cwd: str | None = order["cwd"]
        self.output = output  # where its own goes

    @property
    def program(self) -> str:
        """Where it is written down; empty where it has to be looked for, which can take its time."""
        return "" if self.cwd or "/" not in self.argv[0] else self.argv[0]

    @property
    def group(self) -> str:
        """What a control group of its own would be called."""
        return self.mark.partition("=")[2].strip("/").replace("/", "-")

    def spawn(self) -> int:
        """The child's number, once the program runs; 0: it does not, `fork` will tell why."""
        to = [(os.POSIX_SPAWN_DUP2, self.output, number) for number in (1, 2)]
        try:
            with trees.branded_ourselves(self.serial):
                pid = os.posix_spawn(self.program, self.argv, self.env, file_actions=to, setsid=True)
        except (OSError, ValueError, NotImplementedError):
            return 0
        return pid

    def fork(self, group: str, ours: list[int]) -> tuple[int, int]:
        """The child's number; and a descriptor: empty at its end once the command runs, else it tells why it does not.
        `ours`: descriptors by whose end others hear of the keeper's."""
        told, telling = os.pipe()
        try:
            keeper = os.getpid()
            pid = os.fork()
            if pid == 0:
                become(self, group, ours, telling, keeper)
        except OSError:
            os.close(told)
            raise
        finally:
            os.close(telling)
        return pid, told


def become(birth: Birth, group: str, shut: list[int], telling: int, keeper: int) -> NoReturn:
    step = "start"
    try:
        for descriptor in shut:
            os.close(descriptor)
        prepare(birth.serial)
        cgroups.enter(group)
        if os.getppid() != keeper:  # it died before we asked to die with it
            os._exit(127)
        os.dup2(birth.output, 1)
        os.dup2(birth.output, 2)
        step = "cwd"
        if birth.cwd:
            os.chdir(birth.cwd)
        step = "exec"
        execute(birth.argv, birth.env)
    except OSError as error:
        complain(telling, step, error.errno or 0, error.strerror or str(error))
    except Exception as error:  # noqa: BLE001 - a NUL in the command or its environment; and nobody else would tell
        complain(telling, step, errno.EINVAL, str(error))
    finally:
        os._exit(127)


def complain(telling: int, step: str, number: int, text: str) -> None:
    os.write(telling, messages.pack({"step": step, "errno": number, "text": text}))


def prepare(serial: int) -> None:
    """Its own session, and the keeper's input, which is none; every other descriptor closes itself at the exec.

    Of each page that is written to, if only to count who holds an object, the child needs a copy: what can be done
    before the fork is."""
    trees.brand(serial)  # before it leaves the keeper's session: from then on it is known by nothing else
    os.setsid()
    trees.die_with_parent()
    cgroups.write(EXPENDABLE, EXPENDABILITY)


def folders(env: Mapping[str, str]) -> list[str]:
    """Not `os.get_exec_path`: that imports `warnings`, a millisecond in every child."""
    return env.get("PATH", os.defpath).split(os.pathsep)


def execute(argv: list[str], env: dict[str, str]) -> None:
    """Look where the proxy itself would look first, then where the model's own PATH points."""
    if "/" in argv[0]:
        os.execve(argv[0], argv, env)
    refused: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    for folder in [*folders(os.environ), *folders(env)]:
        try:
            os.execve(f"{folder or '.'}/{argv[0]}", argv, env)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            refused = error
    raise refused
