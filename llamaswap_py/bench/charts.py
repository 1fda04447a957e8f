"""Bars as inline SVG: groups of one bar for each model, with their figures beside them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

WIDTH, BAR, GAP, HEAD = 600, 20, 6, 26  # units of the drawing
FIGURE = 130  # room for the figure behind the longest bar
COLOURS = 8


class Bar(NamedTuple):
    series: int  # which colour
    value: float | None


class Group(NamedTuple):
    title: str
    bars: Sequence[Bar]


def drawn(title: str, groups: Sequence[Group], names: Sequence[str], say: Callable[[float | None], str]) -> str:
    """Empty where nothing was measured. Who cannot see it hears the figures."""
    known = [bar.value for group in groups for bar in group.bars if bar.value]
    if not known:
        return ""
    most, y, parts = max(known), 4, []
    for group in groups:
        parts.append(f'<text class="group" x="0" y="{y + 17}">{escape(group.title)}</text>')
        y += HEAD if group.title else 0
        for bar in group.bars:
            parts.append(one(bar, y, most, names, say))
            y += BAR + GAP
        y += GAP
    told = "; ".join(
        f"{group.title} {names[bar.series]}: {say(bar.value)}" for group in groups for bar in group.bars if bar.value
    )
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {y}" role="img" aria-label="{escape(f"{title}. {told}")}">{"".join(parts)}</svg>'
        "</figure>"
    )


def one(bar: Bar, y: int, most: float, names: Sequence[str], say: Callable[[float | None], str]) -> str:
    length = (WIDTH - FIGURE) * (bar.value or 0) / most
    figure = escape(say(bar.value) if bar.value else "not measured")
    return (
        f'<rect class="s{bar.series % COLOURS}" x="0" y="{y}" width="{max(length, 1):.1f}" height="{BAR}" rx="3">'
        f"<title>{escape(names[bar.series])}: {figure}</title></rect>"
        f'<text x="{length + 8:.1f}" y="{y + 15}">{figure}</text>'
    )


def legend(names: Sequence[str]) -> str:
    items = (f'<li><i class="s{n % COLOURS}"></i>{escape(name)}</li>' for n, name in enumerate(names))
    return f'<ul class="legend">{"".join(items)}</ul>'
