"""Message heads: what goes to a model's server, and the one function that writes the caller's side.

Hop-by-hop fields end here in both directions; nothing that could split a message gets out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Sequence
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from itertools import chain, compress
from typing import Protocol

import msgspec

from llamaswap_py.errors import BadRequest
from llamaswap_py.wire.address import Address

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Written anew for every message: the length is that of the bytes we hold, `Expect` was answered by us.
REWRITTEN = HOP_BY_HOP | {"content-length", "expect", "host", "x-forwarded-for"}
HOP_BY_HOP_BYTES = frozenset(name.encode() for name in HOP_BY_HOP)
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
BODILESS = frozenset({204, 304})
REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
SAME_HEADS = 256  # that are remembered: those of some models' usual answers, and of some callers' requests
UNSAFE_TARGET = re.compile(r"[\x00-\x20\x7f]")
UNSAFE_FIELD = re.compile(r"[\r\n\x00]")
KEEP_PARAMETER = re.compile(rb"(timeout|max)\s*=\s*(\d{1,9})", re.IGNORECASE)


class Flow(Protocol):
    """A body that is not held whole: it can be sent once."""

    @property
    def length(self) -> int | None:
        """None where it is not known: then it is sent in chunks."""

    def invite(self) -> None:
        """It is about to be read. Whoever sends it only when told to is told now, before any answer can come."""

    def read(self) -> Awaitable[bytes]:
        """The next piece; empty at the end. Raises a Refusal where the rest cannot be had."""


class UpstreamRequest(msgspec.Struct, frozen=True):
    """One request as a model's server shall see it; where `body` is bytes, it can be sent again."""

    method: str
    target: str  # path and query as the caller sent them; the address adds its own part
    headers: Sequence[tuple[str, str]]  # the caller's
    body: bytes | Flow = b""
    caller_ip: str = ""
    drop: frozenset[str] = frozenset()  # lower-case names that must not leave this house (our own keys)
    upgrade: str = ""  # the protocol to change to; the body is then what follows the change, unframed
    own: tuple[tuple[str, str], ...] = ()  # our fields, behind the caller's
    repeated: bool = False  # the caller sends the same ones every time: what becomes of them is found once


class Caller(msgspec.Struct, frozen=True):
    """What the caller's side of an answer depends on."""

    method: str
    version: tuple[int, int]
    keep_alive: bool
    extra: tuple[tuple[str, str], ...] = ()  # our own fields: request id, CORS; they replace the server's

    def __post_init__(self) -> None:
        if UNSAFE_FIELD.search("".join(chain.from_iterable(self.extra))):
            raise ValueError(f"one of our own headers holds a line break or a NUL character: {self.extra}")


class Framing(Enum):
    """How the caller learns where the answer ends."""

    __hash__ = object.__hash__  # heads are remembered by it, and the usual one runs in Python

    EMPTY = "no body"
    LENGTH = "content-length"
    CHUNKED = "chunked"
    CLOSE = "until close"


class Head:
    """The head of an answer as a model's server sent it. A server says much the same in every answer, so those of
    the same bytes are one, and what follows from them is found once."""

    __slots__ = (
        "_values",
        "coding",
        "content_type",
        "event_stream",
        "lines",
        "persistent",
        "reason",
        "status",
        "version",
    )

    def __init__(self, version: tuple[int, int], status: int, reason: bytes, lines: Sequence[bytes]) -> None:
        self.version = version
        self.status = status
        self.reason = reason
        self.lines = lines  # the fields as they came, without line ends
        self._values: dict[bytes, list[bytes]] = {}
        for line in lines:
            name, _, value = line.partition(b":")
            self._values.setdefault(name.lower(), []).append(value.strip(b" \t"))
        self.content_type = self._first(b"content-type")
        self.coding = self._first(b"content-encoding").strip().lower()
        self.persistent = self._is_persistent()  # the server leaves the connection open after this answer
        self.event_stream = self._is_event_stream()  # that can be read: not a compressed one

    def values(self, name: bytes) -> Sequence[bytes]:
        """Of every field of that (lower-case) name."""
        return self._values.get(name, ())

    def _first(self, name: bytes) -> str:
        """The first field of that name, empty where there is none."""
        values = self.values(name)
        return values[0].decode("utf-8", "replace") if values else ""

    def fields(self) -> list[tuple[str, str]]:
        """As texts, in their order."""
        pairs = (line.decode("utf-8", "replace").partition(":") for line in self.lines)
        return [(name, value.strip()) for name, _, value in pairs]

    def words(self, name: bytes) -> list[bytes]:
        """The comma-separated words of every field of that name, in lower case."""
        if name not in self._values:
            return []
        return [word.strip().lower() for word in b",".join(self._values[name]).split(b",")]

    def _is_persistent(self) -> bool:
        if self.version >= (1, 1):
            return b"close" not in self.words(b"connection")
        return b"keep-alive" in self.words(b"connection")

    def _is_event_stream(self) -> bool:
        kinds = self.values(b"content-type")
        if not kinds or not kinds[0].lower().startswith(b"text/event-stream"):
            return False
        return not self.values(b"content-encoding")


def keep_limits(head: Head) -> tuple[int | None, int | None]:
    """The announced `Keep-Alive: timeout=…, max=…`: idle seconds, and answers per connection."""
    value = b",".join(head.values(b"keep-alive"))
    found = {name.lower(): int(number) for name, number in KEEP_PARAMETER.findall(value)}
    return found.get(b"timeout"), found.get(b"max")


def upstream_head(request: UpstreamRequest, address: Address) -> bytes:
    """The request line and fields for a model's server.

    Host goes on as the caller wrote it, the caller's address is appended to X-Forwarded-For."""
    begin = _beginning if request.repeated else _beginning.__wrapped__
    asked = address, request.method, request.target
    beginning = begin(asked, request.headers, request.caller_ip, request.drop)
    return beginning + _sealed([*map(": ".join, request.own), *_request_framing(request), ""])


@lru_cache(SAME_HEADS)
def _beginning(
    asked: tuple[Address, str, str], headers: Sequence[tuple[str, str]], caller_ip: str, drop: frozenset[str]
) -> bytes:
    """All of a head but our own fields and those of the body."""
    address, method, path = asked
    target = address.target(path)
    if UNSAFE_TARGET.search(f"{method}{target}"):
        raise BadRequest("the request's method or path holds a space or a control character")
    names: tuple[str, ...] = next(zip(*headers, strict=True)) if headers else ()
    place = _sorted(names, drop)
    kept = place.kept
    if place.connection:
        words = ",".join([headers[at][1] for at in place.connection]).lower().split(",")
        kept = _sorted(names, drop.union(map(str.strip, words))).kept
    host = headers[place.host][1] if place.host >= 0 else ""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host or address.authority}"]
    lines += map(": ".join, compress(headers, kept))
    forwarded = [headers[at][1] for at in place.forwarded] if place.forwarded else []
    if caller_ip:
        forwarded.append(caller_ip)
    if forwarded:
        lines.append(f"X-Forwarded-For: {', '.join(forwarded)}")
    return _sealed(lines)


class _Sorted(msgspec.Struct, frozen=True):
    """What becomes of fields, by their places. A caller sends the same ones every time, so it is found once."""

    kept: tuple[bool, ...]
    host: int  # the first one, else -1
    forwarded: tuple[int, ...]
    connection: tuple[int, ...]


@lru_cache(SAME_HEADS)
def _sorted(names: tuple[str, ...], gone: frozenset[str]) -> _Sorted:
    """`gone`: in lower case, besides those that never go on."""
    keys = [name.lower() for name in names]
    own = "x-forwarded-for" not in gone
    return _Sorted(
        tuple(key not in gone and key not in REWRITTEN for key in keys),
        keys.index("host") if "host" in keys else -1,
        tuple(at for at, key in enumerate(keys) if key == "x-forwarded-for" and own),
        tuple(at for at, key in enumerate(keys) if key == "connection"),
    )


def _request_framing(request: UpstreamRequest) -> list[str]:
    if request.upgrade:
        return ["Connection: Upgrade", f"Upgrade: {request.upgrade}"]
    if isinstance(request.body, bytes):
        known = request.body or request.method in WITH_BODY
        return [f"Content-Length: {len(request.body)}"] if known else []
    length = request.body.length
    return ["Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"]


def _sealed(lines: list[str]) -> bytes:
    """The lines with their ends; a line break or NUL inside one of them would be the start of somebody else's
    message."""
    text, breaks = "\r\n".join((*lines, "")), len(lines)
    if text.count("\n") != breaks or text.count("\r") != breaks or "\0" in text:
        raise BadRequest("a header of the request holds a line break or a NUL character")
    return text.encode("utf-8", "surrogateescape")


def switch_head(head: Head, caller: Caller) -> bytes:
    """The head with which the caller, too, changes to the protocol that it asked for."""
    gone = {name.lower().encode() for name, _ in caller.extra} | {b"content-length"}
    lines = [b"HTTP/1.1 101 " + (head.reason or REASONS[101]), b"Connection: Upgrade"]
    for line in head.lines:
        name = line[: line.index(b":")].lower()
        if name == b"upgrade" or (name not in HOP_BY_HOP_BYTES and name not in gone):
            lines.append(line)
    lines += [f"{name}: {value}".encode("utf-8", "surrogateescape") for name, value in caller.extra]
    return b"\r\n".join((*lines, b"", b""))


def framing(caller: Caller, status: int, length: int | None) -> Framing:
    """How an answer of that status, with or without a known length, is framed for this caller."""
    if caller.method == "HEAD" or status in BODILESS:
        return Framing.EMPTY
    if length is not None:
        return Framing.LENGTH
    return Framing.CHUNKED if caller.version >= (1, 1) else Framing.CLOSE


def answer_head(head: Head, caller: Caller, framed: Framing) -> bytes:
    """The caller's status line and fields: the server's own less hop-by-hop and framing, plus ours."""
    extra = caller.extra
    names: tuple[str, ...] = next(zip(*extra, strict=True)) if extra else ()
    theirs = _without_ours(head, caller.version, caller.keep_alive, framed, names)
    ours = "\r\n".join((*map(": ".join, extra), "", "")) if extra else "\r\n"
    return theirs + ours.encode("utf-8", "surrogateescape")


@lru_cache(SAME_HEADS)
def _without_ours(
    head: Head, version: tuple[int, int], keep_alive: bool, framed: Framing, names: tuple[str, ...]
) -> bytes:
    """The head of an answer less the fields of these names, which follow it."""
    more = _connection_fields(version, keep_alive, framed)
    if head.event_stream:
        more.append((b"X-Accel-Buffering", b"no"))  # else nginx in front of us would collect the events
    gone = {name.lower().encode() for name in names} | {name.lower() for name, _ in more}
    gone.update(head.words(b"connection"))
    if framed is Framing.CHUNKED or framed is Framing.CLOSE or head.status == 204:
        gone.add(b"content-length")
    lines = [b"HTTP/%d.%d %d %b" % (*version, head.status, head.reason or REASONS.get(head.status, b""))]
    for line in head.lines:
        name = line[: line.index(b":")].lower()
        if name not in HOP_BY_HOP_BYTES and name not in gone:
            lines.append(line)
        if name == b"content-length":
            gone.add(name)  # said twice (equal values were accepted), it is repeated once
    lines += [b"%b: %b" % field for field in more]
    return b"\r\n".join((*lines, b""))


def _connection_fields(version: tuple[int, int], keep_alive: bool, framed: Framing) -> list[tuple[bytes, bytes]]:
    fields = [(b"Transfer-Encoding", b"chunked")] if framed is Framing.CHUNKED else []
    if not keep_alive or framed is Framing.CLOSE:
        fields.append((b"Connection", b"close"))
    elif version < (1, 1):
        fields.append((b"Connection", b"keep-alive"))
    return fields
