"""Figures as people read them, and the table for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llamaswap_py.bench.figures import before, change
from llamaswap_py.bench.values import Cell, Result, Session

TITLES = (
    "model", "prompt", "callers", "prompt t/s", "t/s", "engine t/s", "together t/s", "first", "first 95 %",
    "gap", "gap 95 %", "against last",
)  # fmt: skip


def rate(value: float | None) -> str:
    if not value:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def span(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds >= 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def size(number: float | None) -> str:
    if not number:
        return "-"
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.2f} GiB"


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f} %"


def row(name: str, cell: Cell, then: Result | None) -> tuple[str, ...]:
    if not cell.answers:
        return (name, f"~{cell.wanted}", str(cell.callers), "failed", *["-"] * 8)
    return (
        name,
        f"{cell.prompt:.0f}" if cell.prompt else f"~{cell.wanted}",
        str(cell.callers),
        rate(cell.prompt_speed) + ("" if cell.prompt_by_engine else "*"),
        rate(cell.speed),
        rate(cell.engine_speed),
        rate(cell.together),
        span(cell.first),
        span(cell.first_95),
        span(cell.gap),
        span(cell.gap_95),
        percent(change(cell, then, lambda each: each.speed)),
    )


def rows(session: Session, earlier: Sequence[Session]) -> list[tuple[str, ...]]:
    return [
        row(result.name, cell, before(earlier, result.name, session.began))
        for result in session.results
        for cell in result.cells
    ]


MODEL_TITLES = ("model", "about", "size", "cold load", "warm load", "peak memory", "GPU memory")


def model_row(result: Result) -> tuple[str, ...]:
    loads = span(result.cold), span(result.warm)
    return (result.name, result.about, size(result.size), *loads, size(result.memory), size(result.gpu_memory))


def notes(session: Session) -> list[str]:
    """What a reader must know of these figures."""
    cells = [(result.name, cell) for result in session.results for cell in result.cells]
    said = [f"{result.name}: {result.trouble}" for result in session.results if result.trouble]
    if any(cell.answers and not cell.prompt_by_engine for _, cell in cells):
        said.append("* the prompt's tokens over the time until the first token: the server does not say its own rate")
    for name, cell in cells:
        if cell.failed:
            some = str(cell.failed) if cell.answers else f"all {cell.failed}"
            where = f"{name}, prompt of {cell.wanted}, {cell.callers} at once"
            said.append(f"{where}: {some} failed: {cell.why or 'no answer'}")
    return said
