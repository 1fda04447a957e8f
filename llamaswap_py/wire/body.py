"""A JSON request body: find its model, and whether a stream is asked for. Changing it is the business of `edit`."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from llamaswap_py.errors import BadRequest

T = TypeVar("T")
ABSENT = msgspec.Raw(b"")


class Looked(msgspec.Struct, frozen=True):
    """What routing needs to know of a body."""

    model: str | None  # None: missing, null or empty
    stream: bool


class Top(msgspec.Struct):
    """The top-level keys that are looked at; the rest is only checked for its grammar."""

    model: msgspec.Raw = ABSENT
    stream: msgspec.Raw = ABSENT


LOOK = msgspec.json.Decoder(Top)
TEXT = msgspec.json.Decoder(str)


def look(body: bytes) -> Looked:
    """The model and whether a stream is asked for; of repeated keys the last one counts, as for every server."""
    top = _decoded(LOOK, body)
    return Looked(_model(bytes(top.model)), bytes(top.stream) == b"true")


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as mistake:
        raise BadRequest("the request body must be a JSON object") from mistake
    except msgspec.DecodeError as mistake:
        raise BadRequest(f"the request body is not valid JSON: {mistake}") from mistake
    except UnicodeDecodeError as mistake:
        raise BadRequest(f"the request body is not UTF-8 (byte {mistake.start})") from mistake
    except RecursionError as mistake:
        raise BadRequest("the request body is nested too deeply") from mistake


def _model(raw: bytes) -> str | None:
    if not raw or raw == b"null":
        return None
    if raw[:1] == b'"':
        return _decoded(TEXT, raw) or None
    if raw[:1] in b"-0123456789":
        return raw.decode()
    raise BadRequest("`model` must be a string")
