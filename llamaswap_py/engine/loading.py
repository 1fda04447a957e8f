"""While the model loads, the engine's process runs none of our code: a child of it tells how far it is.

llama.cpp reports progress to the one that started it if told so by a variable, as lines of JSON on stdout. The child
turns them into lines for people on stderr, lets everything else through, and ends the engine if its parent ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import IO

from llamaswap_py.engine import parent

REPORT = "LLAMA_SERVER_ROUTER_PORT"  # set: llama.cpp reports; its value is of no interest to what we use
PREFIX = b"cmd_child_to_router:state:"
OVER = PREFIX + b"over\n"
STEP = 5  # per cent between two lines


class Loading:
    """`with Loading(): ...` around the load. Where processes cannot be forked it does nothing."""

    def __init__(self, above: int) -> None:
        self.above = above
        self.child = 0

    def __enter__(self) -> None:
        if sys.platform == "win32":
            return
        sys.stdout.flush()
        sys.stderr.flush()
        self.stdout = os.dup(1)
        reading, self.writing = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            os.close(self.writing)
            follow(reading, self.stdout, os.getppid(), self.above)
        os.dup2(self.writing, 1)
        os.close(reading)
        never_end_input()
        os.environ[REPORT] = "0"

    def __exit__(self, *_: object) -> None:
        """What is printed from now on goes where it always went. llama.cpp keeps the pipe open, so its end is said."""
        if sys.platform != "win32" and self.child:
            os.write(self.writing, OVER)
            os.close(self.writing)
            os.dup2(self.stdout, 1)
            os.close(self.stdout)
            os.waitpid(self.child, 0)


def never_end_input() -> None:
    """A process that reports also ends when its input does: it gets one that cannot."""
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    os.set_inheritable(writing, False)


def follow(reading: int, stdout: int, engine: int, above: int) -> None:
    """The life of the child."""
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # it ends when the engine does, and has its last lines to pass on
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.close(1)
        parent.watch(above, lambda: os.kill(engine, signal.SIGKILL) if os.getppid() == engine else None)
        with os.fdopen(reading, "rb") as source, os.fdopen(stdout, "wb") as target:
            relay(source, target, sys.stderr)
        status = 0
    finally:
        os._exit(status)


def relay(source: IO[bytes], target: IO[bytes], told: IO[str]) -> None:
    last = -STEP
    for line in iter(source.readline, b""):
        if line == OVER:
            return
        if not line.startswith(PREFIX):
            target.write(line)
            target.flush()
            continue
        reached = percent(line)
        if reached is not None and (reached >= last + STEP or reached == 100 > last):
            last = reached
            told.write(f"engine: loading the model: {reached} %\n")
            told.flush()


def percent(line: bytes) -> int | None:
    """A model may come in several pieces (text, pictures, a draft); each has its share."""
    try:
        report = json.loads(line.removeprefix(PREFIX))
        if report["state"] != "loading":
            return None
        payload = report["payload"]
        stages = payload["stages"]
        return int(100 * (stages.index(payload["current"]) + payload["value"]) / len(stages))
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError):
        return None
