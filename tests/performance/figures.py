"""What the rounds say: medians, and medians of the ratios within each round, because rounds meet different machines."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

Rounds = dict[str, list[float]]  # a contestant's value in each round


@dataclass
class Figure:
    """One line of the table."""

    name: str
    unit: str
    rounds: Rounds = field(default_factory=dict)
    limit: float | None = None  # of ours, as a multiple of the base (or in the unit, where there is no base)
    base: str = "nginx"

    def add(self, contestant: str, value: float) -> None:
        self.rounds.setdefault(contestant, []).append(value)

    def median(self, contestant: str) -> float:
        return statistics.median(self.rounds[contestant])

    def ratio(self, contestant: str) -> float | None:
        base = self.rounds.get(self.base)
        if not base or contestant == self.base:
            return None
        return statistics.median(a / b for a, b in zip(self.rounds[contestant], base, strict=True) if b > 0)

    @property
    def measure(self) -> float | None:
        """What the limit speaks of."""
        if "ours" not in self.rounds:
            return None
        return self.ratio("ours") if self.base in self.rounds else self.median("ours")

    @property
    def growth(self) -> float:
        """The largest of its sizes by the smallest, each as a multiple of the first one."""
        ratios = [1.0, *(ratio for name in self.rounds if (ratio := self.ratio(name)) is not None)]
        return max(ratios) / min(ratios)

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "unit": self.unit,
            "limit": self.limit,
            "medians": {name: self.median(name) for name in self.rounds},
            "ratios": {name: self.ratio(name) for name in self.rounds if self.ratio(name) is not None},
            "rounds": self.rounds,
        }


def cell(figure: Figure, contestant: str) -> str:
    if contestant not in figure.rounds:
        return "-"
    ratio = figure.ratio(contestant)
    return f"{figure.median(contestant):.3g}" + (f" ({ratio:.2f} x)" if ratio is not None else "")


def table(figures: Sequence[Figure], contestants: Sequence[str]) -> str:
    """In Markdown."""
    head = ["", *contestants, "limit"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for figure in figures:
        limit = "" if figure.limit is None else f"{figure.limit:g}{' x' if figure.base in figure.rounds else ''}"
        cells = [f"{figure.name}, {figure.unit}", *(cell(figure, name) for name in contestants), limit]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def growth_table(rows: Sequence[Figure]) -> str:
    """Each row: a value at each size, and how it grows."""
    sizes = list(dict.fromkeys(size for row in rows for size in row.rounds))
    lines = [f"| | {' | '.join(sizes)} | most by least |", f"|{'---|' * (len(sizes) + 2)}"]
    for row in rows:
        cells = [cell(row, size) for size in sizes]
        lines.append(f"| {row.name} | {' | '.join(cells)} | {row.growth:.2f} |")
    return "\n".join(lines)
