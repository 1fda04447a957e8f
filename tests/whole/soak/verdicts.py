"""Whether what a caller got is one of the endings that are promised: pure, so that made-up answers try it."""

from __future__ import annotations

import json

# Refusals that troubles of this kind may cause. An internal error is never among them.
TYPED = {
    "concurrency_limit",
    "conflict",
    "insufficient_storage",
    "model_disabled",
    "model_gave_up",
    "model_leaked",
    "model_not_found",
    "model_start_backoff",
    "model_start_failed",
    "model_start_timeout",
    "model_unloaded",
    "no_room",
    "overloaded",
    "queue_full",
    "queue_timeout",
    "request_timeout",
    "system_limit",
    "upstream_failed",
    "upstream_timeout",
}


def code_of(payload: object) -> str:
    error = payload.get("error") if isinstance(payload, dict) else None
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def refused(status: int, body: bytes) -> str | None:
    """What is wrong with an answer that is none; None: nothing."""
    try:
        code = code_of(json.loads(body))
    except ValueError:
        return f"a {status} that is no JSON: {body[:200]!r}"
    return None if code in TYPED else f"a {status} with the code {code!r}: {body[:300]!r}"


def whole(got: bytes, expected: bytes, news: bool) -> str | None:
    """A stream that came to its end; with news of the loading before it, the end counts."""
    if got == expected or (news and got.endswith(expected)):
        return None
    return f"a clean end after {len(got)} of {len(expected)} bytes; the last are {got[-200:]!r}"


def broken(got: bytes, expected: bytes, news: bool) -> str | None:
    """A stream that broke off: whole events of the answer, then one that says why."""
    if not got.endswith(b"\n\n"):
        return f"it broke off within an event: {got[-200:]!r}"
    before, last = split(got)
    try:
        code = code_of(json.loads(last.removeprefix(b"data: ")))
    except ValueError:
        return f"it broke off without an error event: {got[-200:]!r}"
    if code not in TYPED:
        return f"it broke off with the code {code!r}"
    if not expected.startswith(before) and not news:
        return f"what came before the error is not the answer's beginning: {before[-200:]!r}"
    return None


def split(got: bytes) -> tuple[bytes, bytes]:
    """What came before the last event, and that."""
    at = got.rstrip(b"\n").rfind(b"\n\n")
    return (got[: at + 2], got[at + 2 :].strip()) if at >= 0 else (b"", got.strip())
