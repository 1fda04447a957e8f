"""Anthropic's Messages API: its routes and the shape of its errors."""

from __future__ import annotations

from typing import Any

import msgspec

from llamaswap_py.dialects.dialect import DOT, Dialect, Refused, Say, posts, read, retry_headers, unversioned
from llamaswap_py.errors import Refusal

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    529: "overloaded_error",
}


def envelope(refusal: Refusal, request_id: str = "") -> dict[str, Any]:
    fallback = "invalid_request_error" if refusal.status < 500 else "api_error"
    kind = KINDS.get(refusal.status, fallback)
    named = {"request_id": request_id} if request_id else {}
    return {"type": "error", "error": {"type": kind, "message": refusal.message}, **named}


def refuse(refusal: Refusal, request_id: str = "") -> Refused:
    headers = (("Content-Type", "application/json"), *retry_headers(refusal))
    return Refused(refusal.status, headers, msgspec.json.encode(envelope(refusal, request_id)))


def broken(refusal: Refusal) -> bytes:
    return b"event: error\ndata: " + msgspec.json.encode(envelope(refusal)) + b"\n\n"


def loading(path: str) -> Say | None:
    return ping if path.endswith("/messages") else None


def ping(text: str) -> bytes:
    """The one event that may come before `message_start`; it carries no words."""
    return b"" if text == DOT else b'event: ping\ndata: {"type":"ping"}\n\n'


DIALECT = Dialect(
    name="anthropic",
    routes=(
        *posts("/v1/messages", "/v1/messages/count_tokens"),
        *unversioned("/messages", "/messages/count_tokens"),
    ),
    read=read,
    refuse=refuse,
    broken=broken,
    loading=loading,
)
