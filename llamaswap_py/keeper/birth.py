"""Fork and exec: how a run's first process comes to be. Nothing here waits, but the child for what it is to become.

Written out, not `subprocess`: the keeper must not block on an exec from a dead network disk, and what a child
inherits (session, signals, limits, death with its parent) is the keeper's whole business.
"""

from __future__ import annotations

import errno
import json
import os
import signal

from llamaswap_py.keeper import cgroups, trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from llamaswap_py.keeper.messages import Message

    Destiny = tuple[Message, int, str]  # the order, where its output goes, its control group

EXPENDABLE = "/proc/self/oom_score_adj"  # from -1000, never, in thousandths of the machine's memory
MORE_EXPENDABLE, MOST_EXPENDABLE = 500, 1000  # as if it held half of the memory more than it does
IGNORED = ("SIGPIPE", "SIGXFSZ")  # by Python; what has a handler of the keeper's, the exec itself puts back


def fork(destiny: Callable[[], Destiny], serial: int) -> tuple[int, int]:
    """The child's number, and a descriptor: empty at its end once the command runs, else it tells why it does not."""
    told, telling = os.pipe()
    keeper = os.getpid()
    try:
        pid = os.fork()
        if pid == 0:
            become(destiny, serial, telling, keeper)
    except OSError:
        os.close(told)
        raise
    finally:
        os.close(telling)
    return pid, told


def become(destiny: Callable[[], Destiny], serial: int, telling: int, keeper: int) -> NoReturn:
    step = "start"
    try:
        prepare(serial)
        order, output, group = destiny()
        cgroups.enter(group)
        if order["serial"] != serial:
            trees.brand(order["serial"])
        if os.getppid() != keeper:  # it died before we asked to die with it
            os._exit(127)
        os.dup2(output, 1)
        os.dup2(output, 2)
        step = "cwd"
        if order.get("cwd"):
            os.chdir(order["cwd"])
        step = "exec"
        execute(order["argv"], dict(pair.split("=", 1) for pair in order["env"]))
    except OSError as error:
        complain(telling, step, error.errno or 0, error.strerror or str(error))
    except Exception as error:  # noqa: BLE001 - a NUL in the command or its environment; and nobody else would tell
        complain(telling, step, errno.EINVAL, str(error))
    finally:
        os._exit(127)


def complain(telling: int, step: str, number: int, text: str) -> None:
    os.write(telling, json.dumps({"step": step, "errno": number, "text": text}).encode())


def prepare(serial: int) -> None:
    """Its own session, no input; every other descriptor closes itself at the exec."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for name in IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    trees.brand(serial)  # before it may die of its parent's death: then it is known by nothing else
    trees.die_with_parent()
    go_first()


def go_first() -> None:
    """Where memory runs out, the kernel takes a model's server before the proxy, however well the manager guards that
    one. Without Linux, or without its /proc, it decides by size alone."""
    ours = cgroups.read(EXPENDABLE).strip()
    if ours:
        cgroups.write(EXPENDABLE, str(min(max(int(ours), 0) + MORE_EXPENDABLE, MOST_EXPENDABLE)))


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
