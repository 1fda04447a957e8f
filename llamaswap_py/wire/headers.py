"""Message heads: what goes to a model's server, and the one function that writes the caller's side.

Hop-by-hop fields end here in both directions; nothing that could split a message gets out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

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
UNSAFE_TARGET = re.compile(r"[\x00-\x20\x7f]")
UNSAFE_VALUE = re.compile(rb"[\r\n\x00]")
KEEP_PARAMETER = re.compile(rb"(timeout|max)\s*=\s*(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """One request as a model's server shall see it; `body` is whole, so it can be sent again."""

    method: str
    target: str  # path and query as the caller sent them; the address adds its own part
    headers: Sequence[tuple[str, str]]
    body: bytes = b""
    caller_ip: str = ""
    drop: frozenset[str] = frozenset()  # lower-case names that must not leave this house (our own keys)


@dataclass(frozen=True, slots=True)
class Caller:
    """What the caller's side of an answer depends on."""

    method: str
    version: tuple[int, int]
    keep_alive: bool
    extra: Sequence[tuple[str, str]] = ()  # our own fields: request id, CORS; they replace the server's


class Framing(Enum):
    """How the caller learns where the answer ends."""

    EMPTY = "no body"
    LENGTH = "content-length"
    CHUNKED = "chunked"
    CLOSE = "until close"


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer as a model's server sent it."""

    version: tuple[int, int]
    status: int
    reason: bytes
    fields: tuple[tuple[bytes, bytes], ...]  # names in lower case, values stripped

    def values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.fields if key == name]

    def tokens(self, name: bytes) -> frozenset[bytes]:
        """The comma-separated words of every field of that name, in lower case."""
        return frozenset(word.strip().lower() for value in self.values(name) for word in value.split(b","))

    @property
    def persistent(self) -> bool:
        """The server leaves the connection open after this answer."""
        if self.version >= (1, 1):
            return b"close" not in self.tokens(b"connection")
        return b"keep-alive" in self.tokens(b"connection")

    @property
    def event_stream(self) -> bool:
        """Server-sent events that can be read; compressed ones cannot."""
        kind = b"".join(self.values(b"content-type")[:1]).lower()
        return kind.startswith(b"text/event-stream") and not self.values(b"content-encoding")


def keep_limits(head: Head) -> tuple[int | None, int | None]:
    """The announced `Keep-Alive: timeout=…, max=…`: idle seconds, and answers per connection."""
    found: dict[bytes, int] = {}
    for value in head.values(b"keep-alive"):
        found.update((name.lower(), int(number)) for name, number in KEEP_PARAMETER.findall(value))
    return found.get(b"timeout"), found.get(b"max")


def upstream_head(request: UpstreamRequest, address: Address) -> bytes:
    """The request line and fields for a model's server.

    Host goes on as the caller wrote it, the caller's address is appended to X-Forwarded-For."""
    target = address.target(request.target)
    if UNSAFE_TARGET.search(target) or UNSAFE_TARGET.search(request.method):
        raise BadRequest("the request's method or path holds a space or a control character")
    host, forwarded, kept = _sort(request)
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {host or address.authority}"]
    lines += (f"{name}: {value}" for name, value in kept)
    if request.caller_ip:
        forwarded.append(request.caller_ip)
    if forwarded:
        lines.append(f"X-Forwarded-For: {', '.join(forwarded)}")
    if request.body or request.method in WITH_BODY:
        lines.append(f"Content-Length: {len(request.body)}")
    return _sealed(lines)


def _sort(request: UpstreamRequest) -> tuple[str, list[str], list[tuple[str, str]]]:
    """The caller's Host, its X-Forwarded-For values, and the fields that go on as they are."""
    host, forwarded, kept = "", [], []
    gone = REWRITTEN | request.drop | _named_in_connection(request.headers)
    for name, value in request.headers:
        key = name.lower()
        if key == "host":
            host = host or value
        elif key == "x-forwarded-for" and key not in request.drop:
            forwarded.append(value)
        elif key not in gone:
            kept.append((name, value))
    return host, forwarded, kept


def _named_in_connection(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    return frozenset(
        word.strip().lower() for name, value in headers if name.lower() == "connection" for word in value.split(",")
    )


def _sealed(lines: list[str]) -> bytes:
    """Join the lines; a line break or NUL inside one of them would be the start of somebody else's message."""
    text = "\r\n".join(lines) + "\r\n\r\n"
    if text.count("\n") != len(lines) + 1 or text.count("\r") != len(lines) + 1 or "\x00" in text:
        raise BadRequest("a header of the request holds a line break or a NUL character")
    return text.encode("utf-8", "surrogateescape")


def framing(caller: Caller, status: int, length: int | None) -> Framing:
    """How an answer of that status, with or without a known length, is framed for this caller."""
    if caller.method == "HEAD" or status in BODILESS:
        return Framing.EMPTY
    if length is not None:
        return Framing.LENGTH
    return Framing.CHUNKED if caller.version >= (1, 1) else Framing.CLOSE


def answer_head(head: Head, caller: Caller, framed: Framing) -> bytes:
    """The caller's status line and fields: the server's own less hop-by-hop and framing, plus ours."""
    ours = [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in caller.extra]
    if head.event_stream:
        ours.append((b"X-Accel-Buffering", b"no"))  # else nginx in front of us would collect the events
    ours += _connection_fields(caller, framed)
    gone = HOP_BY_HOP_BYTES | head.tokens(b"connection") | {name.lower() for name, _ in ours}
    if framed is Framing.CHUNKED or framed is Framing.CLOSE or head.status == 204:
        gone |= {b"content-length"}
    lines = [b"HTTP/%d.%d %d %s" % (*caller.version, head.status, head.reason or REASONS.get(head.status, b""))]
    lines += (b"%b: %b" % (name.title(), value) for name, value in _once(head.fields) if name not in gone)
    lines += (b"%b: %b" % pair for pair in ours if not UNSAFE_VALUE.search(pair[0] + pair[1]))
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _connection_fields(caller: Caller, framed: Framing) -> list[tuple[bytes, bytes]]:
    fields = [(b"Transfer-Encoding", b"chunked")] if framed is Framing.CHUNKED else []
    keep = caller.keep_alive and framed is not Framing.CLOSE
    if not keep:
        fields.append((b"Connection", b"close"))
    elif caller.version < (1, 1):
        fields.append((b"Connection", b"keep-alive"))
    return fields


def _once(fields: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    """The fields, with a repeated Content-Length (equal values were accepted) said once."""
    said = False
    for name, value in fields:
        if name == b"content-length":
            if said:
                continue
            said = True
        yield name, value
