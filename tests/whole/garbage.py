"""The program, and what only a collection of garbage would free: `python -m tests.whole.garbage …` is the program, and
at each SIGUSR2 it says of what kinds it found some since the last time."""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import sys
from collections import Counter
from types import FrameType, FunctionType

from tests.whole.program import Program

FOUND = "garbage: "


def kind(each: object) -> str:
    if isinstance(each, FrameType):
        return f"frame of {each.f_code.co_qualname}"
    if isinstance(each, FunctionType):
        return each.__qualname__
    return f"{type(each).__module__}.{type(each).__qualname__}"


def tell(*_: object) -> None:
    gc.collect()
    found = Counter(kind(each) for each in gc.garbage)
    gc.garbage.clear()
    gc.set_debug(0)
    gc.collect()  # what was kept to be looked at
    gc.set_debug(gc.DEBUG_SAVEALL)
    os.write(1, f"{FOUND}{json.dumps(found)}\n".encode())


def commanded(program: Program) -> Program:
    program.command = (sys.executable, "-m", "tests.whole.garbage")
    return program


def of(program: Program) -> dict[str, int]:
    said = program.said
    program.process.send_signal(signal.SIGUSR2)
    found: dict[str, int] = json.loads(program.wait_for(FOUND, said).partition(FOUND)[2])
    return found


if __name__ == "__main__":
    gc.set_debug(gc.DEBUG_SAVEALL)
    signal.signal(signal.SIGUSR2, tell)
    runpy.run_module("llamaswap_py", run_name="__main__", alter_sys=True)
