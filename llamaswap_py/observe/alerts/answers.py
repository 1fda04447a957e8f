"""How requests ended and how long they waited for their answers: four sums, counted on the loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llamaswap_py.observe.alerts.readings import Totals
from llamaswap_py.observe.alike import Alike


class Answers:
    """Written by one thread; another takes what it reads as it is: each sum is one value."""

    def __init__(self) -> None:
        self.sums = Totals()

    def count(self, finished: Iterable[Alike]) -> None:
        ended, failed, answered, waited = self.sums[:4]
        for those in finished:
            ended += those.count
            failed += those.count if those.one.fate >= 500 else 0
            if 200 <= those.one.status < 400:
                answered += those.count
                both = zip(those.details.first_byte, those.durations, strict=True)
                waited += sum([first or took for first, took in both])
        self.sums = Totals(ended, failed, answered, waited)

    def totals(self, swapping: float, restarts: Mapping[str, float]) -> Totals:
        return self.sums._replace(swapping=swapping, restarts=restarts)
