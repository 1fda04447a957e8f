"""From single answers to one row of figures, and what changed since the last time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median

from llamaswap_py.bench.values import Cell, Result, Sample, Session


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank: one that was measured."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


def cell(wanted: int, callers: int, samples: Sequence[Sample]) -> Cell:
    good = [each for each in samples if not each.error]
    bad = [each.error for each in samples if each.error]
    if not good:
        return Cell(wanted, callers, failed=len(bad), why=bad[0] if bad else "")
    gaps = [gap for each in good for gap in each.gaps]
    firsts = [each.first for each in good]
    told = [each.engine_prompt for each in good if each.engine_prompt]
    engine = [each.engine_speed for each in good if each.engine_speed]
    own = [each.prompt / each.first for each in good if each.prompt and each.first > 0]
    return Cell(
        wanted,
        callers,
        answers=len(good),
        prompt=fmean(each.prompt for each in good),
        output=fmean(each.output for each in good),
        first=median(firsts),
        first_95=percentile(firsts, 95),
        prompt_speed=middle(told or own),
        prompt_by_engine=bool(told),
        speed=middle([each.speed for each in good if each.speed]),
        engine_speed=middle(engine) if engine else None,
        together=together(good),
        gap=middle(gaps),
        gap_95=percentile(gaps, 95),
        gap_most=max(gaps, default=0.0),
        failed=len(bad),
        why=bad[0] if bad else "",
    )


def middle(values: Sequence[float]) -> float:
    return median(values) if values else 0.0


def together(samples: Sequence[Sample]) -> float:
    """Tokens of all answers over the time in which any of them was on its way."""
    spans = sorted((each.began, each.began + each.total) for each in samples)
    busy, until = 0.0, float("-inf")
    for begin, end in spans:
        busy += max(0.0, end - max(begin, until))
        until = max(until, end)
    return sum(each.output for each in samples) / busy if busy > 0 else 0.0


def before(sessions: Iterable[Session], name: str, than: float) -> Result | None:
    """The last result of the same name from an earlier session."""
    earlier = sorted((each for each in sessions if each.began < than), key=lambda each: each.began, reverse=True)
    found = (result for each in earlier for result in each.results if result.name == name and result.cells)
    return next(found, None)


def change(now: Cell, then: Result | None, of: Callable[[Cell], float]) -> float | None:
    """In percent, where the same was measured then."""
    same = (c for c in then.cells if (c.wanted, c.callers) == (now.wanted, now.callers)) if then else iter(())
    old = next(same, None)
    if old is None or not of(old) or not of(now):
        return None
    return 100 * (of(now) / of(old) - 1)
