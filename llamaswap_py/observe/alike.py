"""Finished requests that are alike in all that they are counted by, so that many are counted in one step: where
thousands end in a second, a step for each figure of each of them is a good part of what a request costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from llamaswap_py.observe.rows import Details, Row
from llamaswap_py.wire.usage import Usage

counted_by = attrgetter(
    "created", "model", "status", "content_type",
    "details.api", "details.code", "details.closed_by", "details.phase",
)  # fmt: skip


class Alike(msgspec.Struct, frozen=True):
    """`one`: any of them. Figures are in columns, in the rows' order."""

    one: Row
    count: int
    durations: Sequence[float]  # seconds
    usage: Any  # a Usage of columns
    details: Any  # Details of columns


def alike(rows: Sequence[Row]) -> Iterator[Alike]:
    found: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(counted_by(row), []).append(row)
    for same in found.values():
        yield Alike(
            same[0],
            len(same),
            [row.duration_ms / 1000 for row in same],
            columns(Usage, [row.usage for row in same]),
            columns(Details, [row.details for row in same]),
        )


def columns(kind: Any, values: Sequence[tuple[object, ...]]) -> Any:
    return kind._make(zip(*values, strict=True))
