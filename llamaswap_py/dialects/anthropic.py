"""Anthropic's Messages API: its routes and the shape of its errors."""

from __future__ import annotations

from typing import Any

import msgspec

from llamaswap_py.dialects.dialect import Dialect, Refused, read_json, retry_headers
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


def envelope(refusal: Refusal) -> dict[str, Any]:
    fallback = "invalid_request_error" if refusal.status < 500 else "api_error"
    kind = KINDS.get(refusal.status, fallback)
    return {"type": "error", "error": {"type": kind, "message": refusal.message}}


def refuse(refusal: Refusal) -> Refused:
    headers = (("Content-Type", "application/json"), *retry_headers(refusal))
    return Refused(refusal.status, headers, msgspec.json.encode(envelope(refusal)))


def broken(refusal: Refusal) -> bytes:
    return b"event: error\ndata: " + msgspec.json.encode(envelope(refusal)) + b"\n\n"


DIALECT = Dialect(
    name="anthropic",
    paths=("/v1/messages", "/v1/messages/count_tokens"),
    read=read_json,
    refuse=refuse,
    broken=broken,
)
