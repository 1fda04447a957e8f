"""OpenAI's Responses API: the same envelope before the first byte, a named error event after it."""

from __future__ import annotations

import msgspec

from llamaswap_py.dialects import openai
from llamaswap_py.dialects.dialect import Dialect, Say, comment, posts, read, unversioned
from llamaswap_py.errors import Refusal


def broken(refusal: Refusal) -> bytes:
    event = {"type": "error", "code": refusal.code, "message": refusal.message, "param": None}
    return b"event: error\ndata: " + msgspec.json.encode(event) + b"\n\n"


def loading(path: str) -> Say | None:
    return comment


DIALECT = Dialect(
    name="responses",
    routes=(*posts("/v1/responses"), *unversioned("/responses")),
    read=read,
    refuse=openai.refuse,
    broken=broken,
    loading=loading,
)
