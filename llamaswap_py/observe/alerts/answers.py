"""How requests ended and how long they waited for their answers: four sums, counted in the recorder's thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llamaswap_py.observe.alerts.readings import Totals
from llamaswap_py.observe.rows import Row


class Answers:
    """Written by one thread; another takes what it reads as it is: each sum is one value."""

    def __init__(self) -> None:
        self.sums = Totals()

    def count(self, rows: Sequence[Row]) -> None:
        finished, failed, answered, waited = self.sums[:4]
        for row in rows:
            finished += 1
            failed += row.fate >= 500
            if 200 <= row.status < 400:
                answered += 1
                waited += row.details.first_byte or row.duration_ms / 1000
        self.sums = Totals(finished, failed, answered, waited)

    def totals(self, swapping: float, restarts: Mapping[str, float]) -> Totals:
        return self.sums._replace(swapping=swapping, restarts=restarts)
