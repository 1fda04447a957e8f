"""A row of the records as pages are shown it: llama-swap's, with ours beside it."""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, cast

from llamaswap_py.observe.rows import UNKNOWN, Details, Row

if TYPE_CHECKING:
    from llamaswap_py.server.shapes.requests import Activity
    from llamaswap_py.server.shapes.requests import Details as DetailsShape

OF_TIME = ("queued", "loading", "first_byte", "mean_gap", "longest_gap")
TIMES = tuple(f"{name}_ms" for name in OF_TIME)
times = attrgetter(*OF_TIME)
PLAIN = tuple(name for name in Details._fields if name not in OF_TIME)
plain = attrgetter(*PLAIN)


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
    told: dict[str, object] = {name: value for name, value in zip(PLAIN, plain(details), strict=True) if value}
    for name, seconds in zip(TIMES, times(details), strict=True):
        told[name] = round(1000 * seconds, 3)
    return cast("DetailsShape", told)
