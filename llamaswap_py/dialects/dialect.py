"""What a client API is to the rest of the house: its routes, how to read a request, how to refuse, how to break off.

A dialect is one file in this folder that exports `DIALECT`; everything in it is a function over values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llamaswap_py.errors import MissingModel, Refusal, UnsupportedMedia
from llamaswap_py.wire.body import look


@dataclass(frozen=True, slots=True)
class Parts:
    """What a dialect may read of a request."""

    path: str
    content_type: str  # without parameters, lower case; empty where the caller sent none
    content_encoding: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Infer:
    """The caller wants an answer from a model."""

    model: str
    stream: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal in the caller's own shape, ready to be sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Dialect:
    name: str
    paths: tuple[str, ...]  # POST routes that name a model in their body
    read: Callable[[Parts], Infer]
    refuse: Callable[[Refusal], Refused]
    broken: Callable[[Refusal], bytes]  # the last event of a stream that could not be finished


def read_json(parts: Parts) -> Infer:
    """The model and the stream switch of a JSON body; a body without a declared type is taken for JSON."""
    kind = parts.content_type
    if kind not in ("", "application/json") and not kind.endswith("+json"):
        raise UnsupportedMedia(
            f"{parts.path} takes a JSON body, not {kind}: send it with Content-Type: application/json"
        )
    if parts.content_encoding not in ("", "identity"):
        raise UnsupportedMedia(f"the request body is encoded as {parts.content_encoding}: send it uncompressed")
    looked = look(parts.body)
    if not looked.model:
        raise MissingModel(
            'the request names no model: add a top-level "model" to the JSON body (GET /v1/models lists the names)'
        )
    return Infer(looked.model, looked.stream)


def retry_headers(refusal: Refusal) -> tuple[tuple[str, str], ...]:
    """Whole seconds, at least one: what HTTP clients expect of Retry-After."""
    if refusal.retry_after is None:
        return ()
    return (("Retry-After", str(max(1, round(refusal.retry_after)))),)
