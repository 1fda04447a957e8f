"""Fork and exec: how a run's first process comes to be. Nothing here waits, but the child for what it is to become.

Written out, not `subprocess`: the keeper must not block on an exec from a dead network disk, and what a child
inherits (session, signals, limits, death with its parent) is the keeper's whole business.
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


class Destiny:
    __slots__ = ("argv", "cwd", "env", "group", "held", "output", "serial", "shut")

    def __init__(self, order: Message, output: int, group: str, held: int, shut: tuple[int, ...]) -> None:
        self.serial: int = order["serial"]
        self.argv: list[str] = order["argv"]
        self.env: dict[str, str] = dict(pair.split("=", 1) for pair in order["env"])
        self.cwd: str | None = order["cwd"]
        self.output = output  # where its own goes
        self.group = group
        self.held = held  # what it waits for comes from there; negative: nothing
        self.shut = shut  # whose end tells others that the keeper died


def fork(order: Message, output: int, group: str, ours: list[int], *, wait: bool) -> tuple[int, int, int]:
    """The child's number; a descriptor: empty at its end once the command runs, else it tells why it does not; and,
    where it waits before that, another one: what is written there lets it go on. `ours`: descriptors by whose end
    others hear of the keeper's."""
    told, telling = os.pipe()
    held = letting_go = -1
    try:
        if wait:
            held, letting_go = os.pipe()
        destiny, keeper = Destiny(order, output, group, held, (*ours, letting_go)), os.getpid()
        pid = os.fork()
        if pid == 0:
            become(destiny, telling, keeper)
    except OSError:
        close(told, letting_go)
        raise
    finally:
        close(telling, held)
    return pid, told, letting_go


def close(*descriptors: int) -> None:
    for descriptor in descriptors:
        if descriptor >= 0:
            os.close(descriptor)


def become(destiny: Destiny, telling: int, keeper: int) -> NoReturn:
    step = "start"
    try:
        close(*destiny.shut)
        prepare(destiny.serial)
        cgroups.enter(destiny.group)
        if os.getppid() != keeper:  # it died before we asked to die with it
            os._exit(127)
        os.dup2(destiny.output, 1)
        os.dup2(destiny.output, 2)
        if destiny.held >= 0 and not os.read(destiny.held, 1):  # it died since
            os._exit(127)
        step = "cwd"
        if destiny.cwd:
            os.chdir(destiny.cwd)
        step = "exec"
        execute(destiny.argv, destiny.env)
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
