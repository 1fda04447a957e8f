"""How many functions are entered while something is done: the same on any machine, and under any load."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Steps:
    def __init__(self) -> None:
        self.entered = 0

    def count(self, _: FrameType, event: str, __: object) -> None:
        self.entered += event == "call"


@contextmanager
def counted() -> Iterator[Steps]:
    steps = Steps()
    gc.disable()  # what other tests left behind is not part of it
    sys.setprofile(steps.count)
    try:
        yield steps
    finally:
        sys.setprofile(None)
        gc.enable()
