"""Why a command could not be run, as a sentence a person can act on."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llamaswap_py.errors import StartFailed, SystemLimit

if TYPE_CHECKING:
    from llamaswap_py.keeper.messages import Message


def refusal(answer: Message, argv: Sequence[str], cwd: str | None) -> StartFailed | SystemLimit:
    kind = SystemLimit if answer["step"] == "fork" else StartFailed
    return kind(sentence(answer, argv, cwd))


def sentence(answer: Message, argv: Sequence[str], cwd: str | None) -> str:
    """`answer`: the keeper's `refused`, with the step that failed and the system's own word for it."""
    reason = f"{answer['text'] or 'unknown error'}"
    match answer["step"]:
        case "keeper":
            return f"The command {argv[0]!r} was lost because the process that holds our children died. Try again."
        case "fork":
            return f"No process could be made for {argv[0]!r}: {reason}. The limit on processes or memory is reached."
        case "cwd":
            return f"The working directory {cwd!r} cannot be entered: {reason}."
        case _:
            return why_not_run(argv[0], answer["errno"], reason)


def why_not_run(name: str, number: int, reason: str) -> str:
    if number == errno.ENOENT and "/" not in name:
        return (
            f"The command {name!r} was not found on PATH ({os.environ.get('PATH', '')}). Install it or write its path."
        )
    if number == errno.ENOENT and Path(name).exists():
        return f"The command {name!r} exists, but the interpreter or loader that it names does not."
    if number == errno.ENOENT:
        return f"The command {name!r} does not exist. Check the path in cmd."
    if number == errno.EACCES:
        return f"The command {name!r} may not be executed: {reason}. Is it a file, and executable (chmod +x)?"
    if number == errno.ENOEXEC:
        return f"The command {name!r} is no program for this machine (a script needs a first line like #!/bin/sh)."
    if number == errno.E2BIG:
        return f"The command {name!r} cannot be run: its arguments and environment are too long for the system."
    return f"The command {name!r} cannot be run: {reason}."


def at_our_limit(name: str, error: OSError) -> str:
    """Nothing is wrong with the command: we had no descriptor or no process left for it."""
    reason = error.strerror or str(error)
    return (
        f"The command {name!r} was not tried, because the proxy is at a limit of this system: {reason}. See ulimit -a."
    )
