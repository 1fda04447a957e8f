"""What is asked of the records, read from a request's query; whatever is wrong with it is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from aiohttp import web

from llamaswap_py.errors import BadRequest
from llamaswap_py.observe.rows import SORTS, Wanted

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
STATUS = re.compile(r"[1-5](xx|[0-9]{2})")
LARGEST_PAGE = 999  # llama-swap's


def range_of(request: web.Request) -> Wanted:
    """Models and time, and nothing else."""
    start, end = (moment(request.query.get(name, ""), name) for name in ("start", "end"))
    if start is not None and end is not None and start > end:
        raise BadRequest("start must be before end")
    return Wanted(several(request, "model"), start, end)


def wanted_of(request: web.Request) -> Wanted:
    query = request.query
    lowest, highest = (bound(query.get(name, ""), name) for name in ("min_id", "max_id"))
    if lowest is not None and highest is not None and lowest > highest:
        raise BadRequest("min_id must be <= max_id")
    limit = integer(query.get("limit") or "25", "invalid limit")
    if not 1 <= limit <= LARGEST_PAGE:
        raise BadRequest(f"limit must be between 1 and {LARGEST_PAGE}")
    return range_of(request)._replace(
        min_id=lowest,
        max_id=highest,
        limit=limit,
        page=bound(query.get("page") or "1", "page") or 1,
        sort=one_of(query.get("sort") or "id", SORTS, "invalid sort column"),
        descending=one_of((query.get("order") or "desc").lower(), ("asc", "desc"), "order must be asc or desc")
        == "desc",
        paths=several(request, "path"),
        status=status(query.get("status", "")),
        callers=several(request, "caller"),
        apis=several(request, "api"),
        text=query.get("text", "").strip(),
    )


def several(request: web.Request, name: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, request.query.getall(name, []))))


def status(text: str) -> tuple[int, int] | None:
    """One of them, or a class as `5xx`."""
    if not text:
        return None
    if STATUS.fullmatch(text.lower()) is None:
        raise BadRequest("status must be one as 404 or a class as 5xx")
    low = int(text[0]) * 100
    return (low, low + 99) if text.lower().endswith("xx") else (int(text), int(text))


def moment(text: str, name: str) -> int | None:
    """Unix seconds."""
    if not text:
        return None
    mistake = f"invalid '{name}' timestamp, use RFC3339 format"
    if RFC3339.fullmatch(text) is None:
        raise BadRequest(mistake)
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError) as error:
        raise BadRequest(mistake) from error


def bound(text: str, name: str) -> int | None:
    if not text:
        return None
    number = integer(text, f"invalid {name}")
    if number < 1:
        raise BadRequest(f"{name} must be >= 1")
    return number


def integer(text: str, mistake: str) -> int:
    """One that SQLite can hold."""
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text) is None:
        raise BadRequest(mistake)
    return int(text)


def one_of(text: str, allowed: Iterable[str], mistake: str) -> str:
    if text not in allowed:
        raise BadRequest(mistake)
    return text
