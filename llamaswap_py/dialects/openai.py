"""The OpenAI API: chat, completions and embeddings; its error envelope is also that of our control routes."""

from __future__ import annotations

from typing import Any

import msgspec

from llamaswap_py.dialects.dialect import Dialect, Refused, Say, comment, posts, read, retry_headers, unversioned
from llamaswap_py.errors import Refusal

JSON = ("Content-Type", "application/json")


def kind_of(status: int) -> str:
    if status in (401, 403):
        return "authentication_error"
    if status == 429:
        return "rate_limit_error"
    return "invalid_request_error" if status < 500 else "server_error"


def envelope(refusal: Refusal) -> dict[str, Any]:
    """`src` tells the proxy's own refusals from those of the server behind it; clients of llama-swap know the word."""
    return {
        "src": "llama-swap",
        "error": {
            "message": refusal.message,
            "type": kind_of(refusal.status),
            "param": None,
            "code": refusal.code,
        },
    }


def refuse(refusal: Refusal, request_id: str = "") -> Refused:
    challenge = (("WWW-Authenticate", 'Basic realm="llama-swap"'),) if refusal.status == 401 else ()
    return Refused(refusal.status, (JSON, *retry_headers(refusal), *challenge), msgspec.json.encode(envelope(refusal)))


def broken(refusal: Refusal) -> bytes:
    return b"data: " + msgspec.json.encode(envelope(refusal)) + b"\n\n"


def loading(path: str) -> Say | None:
    if path.endswith("/chat/completions"):
        return thought
    return comment if path.endswith("/completions") else None


def thought(text: str) -> bytes:
    """As llama-swap says it: chat clients show it as the model's thinking."""
    return b"data: " + msgspec.json.encode({"choices": [{"delta": {"reasoning_content": text}}]}) + b"\n\n"


DIALECT = Dialect(
    name="openai",
    routes=(
        *posts("/v1/chat/completions", "/v1/completions", "/v1/embeddings"),
        *unversioned("/chat/completions", "/completions", "/embeddings"),
    ),
    read=read,
    refuse=refuse,
    broken=broken,
    loading=loading,
)
