"""Rows under their titles, in columns as wide as what stands in them."""

from __future__ import annotations

from collections.abc import Sequence


def table(titles: Sequence[str], rows: Sequence[Sequence[object]], right: bool = False) -> str:
    """Each cell on one line, whatever is in it; `right` for numbers."""
    lines = [[title.upper() for title in titles], *([" ".join(str(cell).split()) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(titles))]
    side = ">" if right else "<"
    return "\n".join(
        "  ".join(f"{text:{side}{w}}" for text, w in zip(line, widths, strict=True)).rstrip() for line in lines
    )
