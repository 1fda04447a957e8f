"""What happened lately, numbered: a page that comes back says what it heard last, and is told what followed."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from llamaswap_py.runtime.feed import ModelChanged

SWAPS = 200  # changes of models
ROWS = 1000  # finished requests
LONGEST_NUMBER = 20  # digits; Python refuses to read thousands of them


class Missed(msgspec.Struct, frozen=True):
    swaps: Sequence[tuple[str, ModelChanged]] = ()
    rows: Sequence[tuple[int, Any]] = ()  # each with its id
    gap: bool = False  # not all of the rows are remembered


class Remembered:
    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)  # names of an earlier start mean nothing now
        self.count = 0
        self.swaps: deque[tuple[int, ModelChanged]] = deque(maxlen=SWAPS)
        self.rows: deque[tuple[int, int, Any]] = deque(maxlen=ROWS)

    @property
    def name(self) -> str:
        """Of what was added last."""
        return f"{self.epoch}-{self.count}"

    def add_swap(self, change: ModelChanged) -> None:
        self.count += 1
        self.swaps.append((self.count, change))

    def add_rows(self, ids: Sequence[int], rows: Sequence[Any]) -> None:
        first = self.count + 1
        self.count += len(ids)
        self.rows.extend(zip(range(first, self.count + 1), ids, rows, strict=True))

    def after(self, last: str) -> Missed:
        """Nothing for a page that was never here; all that is remembered for one that saw an earlier start of ours."""
        epoch, _, number = last.rpartition("-")
        if not epoch:
            return Missed()
        ours = epoch == self.epoch and number.isdecimal() and len(number) < LONGEST_NUMBER
        seen = int(number) if ours else 0
        full = len(self.rows) == ROWS and self.rows[0][0] > seen + 1
        return Missed(
            [(f"{self.epoch}-{count}", change) for count, change in self.swaps if count > seen],
            [(row, what) for count, row, what in self.rows if count > seen],
            gap=full or not ours,
        )
