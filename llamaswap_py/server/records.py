"""What pages and operators ask of the records: rows, sums, captures, and the end of a request in flight."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, cast

import msgspec
from aiohttp import web

from llamaswap_py.errors import BadRequest, Internal, NoSuchRecord
from llamaswap_py.observe.captures import Captures, found
from llamaswap_py.observe.rows import SORTS, UNKNOWN, Details, Row, Wanted
from llamaswap_py.observe.store import Store
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.recording import Recordings
from llamaswap_py.server.shapes.requests import Activity
from llamaswap_py.server.shapes.requests import Details as DetailsShape

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
LARGEST_PAGE = 999  # llama-swap's


class Records:
    def __init__(self, recordings: Recordings) -> None:
        self.recorder = recordings.recorder
        self.inflight = recordings.inflight

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/metrics/activity", Kind.CONTROL, self.activity),
            Door("GET", "/api/metrics/stats", Kind.CONTROL, self.stats),
            Door("GET", "/api/captures/{id}", Kind.CONTROL, self.capture),
            Door("POST", "/api/inflight/{id}/cancel", Kind.CONTROL, self.cancel),
        ]

    async def activity(self, request: web.Request) -> web.Response:
        wanted = wanted_of(request)
        captures = self.recorder.captures
        return await self.told(lambda store: page(store, wanted, captures), "failed to get activity")

    async def stats(self, request: web.Request) -> web.Response:
        model = request.query.get("model", "").strip()
        return await self.told(lambda store: store.stats(model), "failed to get activity stats")

    async def capture(self, request: web.Request) -> web.Response:
        number = integer(request.match_info["id"], "invalid capture ID")
        captures = self.recorder.captures
        return await self.told(lambda store: captured(store, captures, number), "failed to get capture")

    async def cancel(self, request: web.Request) -> web.Response:
        if not self.inflight.cancel(request.match_info["id"]):
            raise NoSuchRecord("inflight request not found")
        return web.json_response({"msg": "ok"})

    async def told(self, question: Callable[[Store], dict[str, Any] | None], failure: str) -> web.Response:
        """Asked, and written out as JSON, in the recorder's thread."""

        def answer(store: Store) -> bytes | None:
            found = question(store)
            return None if found is None else msgspec.json.encode(found)

        try:
            body = await self.recorder.ask(answer)
        except sqlite3.Error as error:
            raise Internal(failure) from error
        if body is None:
            raise NoSuchRecord("capture not found")
        return web.Response(body=body, content_type="application/json")


def page(store: Store, wanted: Wanted, captures: Captures) -> dict[str, Any]:
    rows, total = store.page(wanted)
    stored = store.captured_of([row.id for row in rows])
    return {
        "data": [shown(row, row.id in captures or row.id in stored) for row in rows],
        "page": wanted.page,
        "limit": wanted.limit,
        "total": total,
        "total_pages": -(-total // wanted.limit),
    }


def captured(store: Store, captures: Captures, number: int) -> dict[str, Any] | None:
    """From memory, else from the file."""
    kept = captures.find(number)
    if kept is None and (data := store.capture(number)) is not None:
        kept = found(number, data)
    return kept


def shown(row: Row, has_capture: bool) -> Activity:
    usage = row.usage
    when = datetime.fromtimestamp(row.created).astimezone().isoformat(timespec="seconds")
    told = {
        "id": row.id,
        "timestamp": when.replace("+00:00", "Z"),
        "model": row.model,
        "req_path": row.path,
        "resp_content_type": row.content_type,
        "resp_status_code": row.status,
        "tokens": {
            "cache_tokens": usage.cached,
            "draft_tokens": usage.drafted,
            "draft_acc_tokens": usage.accepted,
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "prompt_per_second": usage.prompt_speed,
            "tokens_per_second": usage.speed,
        },
        "duration_ms": row.duration_ms,
        "has_capture": has_capture,
        **({"error_msg": row.error} if row.error else {}),
        **({"metadata": row.metadata} if row.metadata else {}),
        **({"details": details_of(row.details)} if row.details != UNKNOWN else {}),
    }
    return cast("Activity", told)


def details_of(details: Details) -> DetailsShape:
    """Times in milliseconds, as everything here; without what is not known."""
    times = {
        "queued_ms": details.queued,
        "loading_ms": details.loading,
        "first_byte_ms": details.first_byte,
        "mean_gap_ms": details.mean_gap,
    }
    named = details._asdict()
    for name in ("queued", "loading", "first_byte", "mean_gap"):
        del named[name]
    told = {
        **{name: value for name, value in named.items() if value},
        **{n: round(1000 * t, 3) for n, t in times.items()},
    }
    return cast("DetailsShape", told)


def wanted_of(request: web.Request) -> Wanted:
    query = request.query
    start, end = (moment(query.get(name, ""), name) for name in ("start", "end"))
    if start is not None and end is not None and start > end:
        raise BadRequest("start must be before end")
    lowest, highest = (bound(query.get(name, ""), name) for name in ("min_id", "max_id"))
    if lowest is not None and highest is not None and lowest > highest:
        raise BadRequest("min_id must be <= max_id")
    limit = integer(query.get("limit") or "25", "invalid limit")
    if not 1 <= limit <= LARGEST_PAGE:
        raise BadRequest(f"limit must be between 1 and {LARGEST_PAGE}")
    return Wanted(
        models=tuple(filter(None, map(str.strip, query.getall("model", [])))),
        start=start,
        end=end,
        min_id=lowest,
        max_id=highest,
        limit=limit,
        page=bound(query.get("page") or "1", "page") or 1,
        sort=one_of(query.get("sort") or "id", SORTS, "invalid sort column"),
        descending=one_of((query.get("order") or "desc").lower(), ("asc", "desc"), "order must be asc or desc")
        == "desc",
    )


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
