"""What a client API is to the rest of the house: its routes, how to read a request, how to refuse, how to break off.

A dialect is one file in this folder that exports `DIALECT`; everything in it is a function over values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from llamaswap_py.errors import MissingModel, Refusal, UnsupportedMedia
from llamaswap_py.wire import form
from llamaswap_py.wire.body import look

DOT = "."  # in news of the loading: a moment has passed, and there is nothing to say

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class Parts(msgspec.Struct, frozen=True):
    """What a dialect may read of a request."""

    path: str
    content_type: str  # without parameters, lower case; empty where the caller sent none
    content_encoding: str
    body: bytes
    method: str = "POST"
    query: str = ""  # as sent
    fields: Mapping[str, str] = msgspec.field(default_factory=dict)  # of a multipart form, as far as it was read


class Infer(msgspec.Struct, frozen=True):
    """The caller wants an answer from a model."""

    model: str
    stream: bool


class Refused(msgspec.Struct, frozen=True):
    """A refusal in the caller's own shape, ready to be sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Refuse(Protocol):
    def __call__(self, refusal: Refusal, request_id: str = "") -> Refused: ...


class Route(msgspec.Struct, frozen=True):
    """One door to a model. It names the model in its body, or in its query where it is a GET."""

    path: str
    method: str = "POST"
    upstream: str = ""  # the path at the model's server; empty: the same


# One piece of news of the loading, as something that the API's clients take in a stream before its first event.
Say = Callable[[str], bytes]


def silent(path: str) -> Say | None:
    """A route whose clients take nothing before the answer."""
    return None


def comment(text: str) -> bytes:
    """A comment line: clients skip it, whoever looks at the bytes can read it."""
    return b"" if text in (DOT, "\n") else b": " + " ".join(text.split()).encode() + b"\n\n"


class Dialect(msgspec.Struct, frozen=True):
    name: str
    routes: tuple[Route, ...]
    read: Callable[[Parts], Infer]
    refuse: Refuse
    broken: Callable[[Refusal], bytes]  # the last event of a stream that could not be finished
    loading: Callable[[str], Say | None] = silent  # for a path: how news of the loading is told in its stream


def posts(*paths: str) -> tuple[Route, ...]:
    return tuple(Route(path) for path in paths)


def unversioned(*paths: str) -> tuple[Route, ...]:
    """`/v/chat/completions` for servers that serve `/chat/completions`: the leading `/v` is removed."""
    return tuple(Route(f"/v{path}", upstream=path) for path in paths)


def read(parts: Parts) -> Infer:
    """The model and the stream switch, wherever this kind of request carries them.

    A body without a declared type is taken for JSON, one of a type that we do not read may name its model in the
    query."""
    kind = parts.content_type
    if parts.method in ("GET", "HEAD"):
        return named(form.read(parts.query), 'add "?model=" to the address')
    if kind == MULTIPART:
        return named({**parts.fields, **form.read(parts.query)}, 'add a form field "model"')
    if is_json(kind, parts.body):
        return read_json(parts)
    if kind == FORM:
        return read_form(parts)
    fields = form.read(parts.query)
    if not fields.get("model") and kind:
        raise UnsupportedMedia(
            f"{parts.path} takes a JSON body, not {kind}: send it with Content-Type: application/json"
            ' (or add "?model=" to the address, if the model takes other bodies)'
        )
    return named(fields, 'add a top-level "model" to a JSON body, or "?model=" to the address')


def is_json(kind: str, body: bytes) -> bool:
    return kind == "application/json" or kind.endswith("+json") or (not kind and body.lstrip()[:1] == b"{")


def read_json(parts: Parts) -> Infer:
    if parts.content_encoding not in ("", "identity"):
        raise UnsupportedMedia(
            f"the request body is encoded as {parts.content_encoding}: send it uncompressed, or as gzip or deflate"
        )
    looked = look(parts.body)
    if not looked.model:
        raise missing('add a top-level "model" to the JSON body')
    return Infer(looked.model, looked.stream)


def read_form(parts: Parts) -> Infer:
    fields = {**form.read(parts.query), **form.read(parts.body.decode("utf-8", "replace"))}
    if not fields.get("model") and parts.body.lstrip()[:1] == b"{":
        raise UnsupportedMedia(
            f"the request body looks like JSON but is declared as {FORM} (curl does so by itself):"
            " send it with Content-Type: application/json"
        )
    return named(fields, 'add a form field "model"')


def named(fields: Mapping[str, str], remedy: str) -> Infer:
    model = fields.get("model", "")
    if not model:
        raise missing(remedy)
    return Infer(model, fields.get("stream") == "true")


def missing(remedy: str) -> MissingModel:
    return MissingModel(f"the request names no model: {remedy} (GET /v1/models lists the names)")


def retry_headers(refusal: Refusal) -> tuple[tuple[str, str], ...]:
    """Whole seconds, at least one: what HTTP clients expect of Retry-After."""
    if refusal.retry_after is None:
        return ()
    return (("Retry-After", str(max(1, round(refusal.retry_after)))),)
