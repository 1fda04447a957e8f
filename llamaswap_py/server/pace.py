"""How slowly a body may come: a caller that sends nothing, or next to nothing, must not hold its seat for ever."""

from __future__ import annotations

from aiohttp import web

from llamaswap_py.server.visitor import Visitor

SLOWEST = 1000  # bytes a second: slower than any line that people still use


class Pace:
    """Time to wait, spent by waiting and earned by bytes: `stall` at the beginning, and never more."""

    def __init__(self, stall: float) -> None:
        self.stall = stall
        self.left = stall

    def came(self, size: int, waited: float) -> None:
        self.left = min(self.stall, self.left - waited + size / SLOWEST)


PACE = web.RequestKey("pace", Pace)


def pace_of(request: web.Request) -> Pace | None:
    """The same for a request however often it is asked; None where there is no limit."""
    pace, visitor = request.get(PACE), request.protocol
    if pace is None and isinstance(visitor, Visitor) and (stall := visitor.entrance.limits().upload_stall):
        pace = request[PACE] = Pace(stall)
    return pace
