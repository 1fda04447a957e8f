"""A request's body: held whole where it must be looked into, passed on as it comes where it need not be."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import ClientPayloadError, HttpVersion11, hdrs, http_exceptions, web
from msgspec import structs

from llamaswap_py.config.filters import Edits
from llamaswap_py.dialects.dialect import FORM, MULTIPART, Parts, is_json
from llamaswap_py.errors import BadRequest, BodyTooLarge, Stalled, UnsupportedMedia
from llamaswap_py.server.leaving import Leaving
from llamaswap_py.server.pace import pace_of
from llamaswap_py.server.spool import Spool
from llamaswap_py.wire import form, multipart
from llamaswap_py.wire.coding import CODINGS, inflated
from llamaswap_py.wire.edit import edited

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CONTINUED = web.RequestKey("continued", bool)
BODILESS = (hdrs.METH_GET, hdrs.METH_HEAD)
NAMED = frozenset({"model", "stream"})


class Upload:
    """A body that is sent on as it comes, after what was read of it to find the model."""

    def __init__(self, request: web.Request, spool: Spool | None = None) -> None:
        self.length = request.content_length
        self._request = request
        self._spool = spool
        self._splice: multipart.Splice | None = None
        Leaving(request.transport, asyncio.current_task())  # what waits for a model or a slow server is not read

    def replace(self, found: multipart.Field, value: str) -> None:
        """Everything but this value stays byte for byte."""
        self._splice = multipart.Splice(found.start, found.end, value.encode())
        if self.length is not None:
            self.length += self._splice.growth

    def invite(self) -> None:
        invite(self._request)

    async def read(self) -> bytes:
        """The next piece; empty at the end."""
        while piece := await self._next():
            out = self._splice.feed(piece) if self._splice else piece
            if out:
                return out
        return b""

    async def _next(self) -> bytes:
        if self._spool is not None:
            kept = await self._spool.read()
            if kept:
                return kept
            self._spool.close()
            self._spool = None
        return await next_piece(self._request)


class Received(msgspec.Struct):
    """A request, read as far as its model's name. What is kept of it ends with the `with` block."""

    parts: Parts
    body: bytes | Upload  # as it goes on
    fields: Mapping[str, multipart.Field] = msgspec.field(default_factory=dict)
    spool: Spool | None = None
    query: str = ""
    plain: bool = False  # it goes on without the encoding it came in

    def change(self, edits: Edits) -> None:
        """Ask for another model, wherever the request names one; the rest is for JSON. Without edits nothing moves."""
        parts = self.parts
        if edits and parts.method not in BODILESS and is_json(parts.content_type, parts.body):
            self.body, self.plain = edited(parts.body, edits.model_name, edits.strip, edits.set), True
            self.parts = structs.replace(parts, body=self.body)
        elif edits.model_name is not None:
            self.rename(edits.model_name)

    def rename(self, name: str) -> None:
        parts = self.parts
        self.query = form.with_field(self.query, "model", name)
        if parts.content_type == FORM:
            text = form.with_field(parts.body.decode("latin-1"), "model", name)
            self.body, self.plain = text.encode("latin-1"), True
        elif isinstance(self.body, Upload) and "model" in self.fields:
            self.body.replace(self.fields["model"], name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.spool is not None:
            self.spool.close()


async def receive(request: web.Request, limit: int) -> Received:
    declared = request.headers.get(hdrs.CONTENT_TYPE, "")
    kind = kind_of(declared)
    query = request.rel_url.raw_query_string
    if kind == MULTIPART:
        return await receive_form(request, declared, query)
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower()
    if kind and kind != FORM and not is_json(kind, b""):
        return Received(
            Parts(request.path, kind, encoding, b"", request.method, query), passed_on(request), query=query
        )
    body = body_here(request, limit)
    if body is None:
        body = await read_body(request, limit)
    plain = body
    if encoding in CODINGS and body:
        plain, encoding = await asyncio.to_thread(inflated, body, limit), ""  # one of the limit takes a second
    return Received(Parts(request.path, kind, encoding, plain, request.method, query), body, query=query)


@lru_cache(256)  # most callers write one of a few
def kind_of(declared: str) -> str:
    return declared.partition(";")[0].strip().lower()


def passed_on(request: web.Request) -> bytes | Upload:
    """The whole of it, unseen."""
    return Upload(request) if request.body_exists else b""


async def receive_form(request: web.Request, declared: str, query: str) -> Received:
    """A multipart form, read until it has named its model; what was read by then is spooled."""
    if form.read(query).get("model"):
        return Received(Parts(request.path, MULTIPART, "", b"", request.method, query), passed_on(request), query=query)
    spool = Spool()
    try:
        fields = await read_fields(request, declared, spool)
    except BaseException:
        spool.close()
        raise
    values = {name: found.value for name, found in fields.items()}
    parts = Parts(request.path, MULTIPART, "", b"", request.method, query, values)
    return Received(parts, Upload(request, spool), fields, spool, query)


async def read_fields(request: web.Request, declared: str, spool: Spool) -> Mapping[str, multipart.Field]:
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() != "identity":
        raise UnsupportedMedia(
            'a compressed form cannot be read: send it uncompressed, or add "?model=" to the address'
        )
    boundary = multipart.boundary_of(declared)
    if boundary is None:
        raise BadRequest("the request's Content-Type is multipart/form-data without a boundary")
    reader = multipart.Reader(boundary, NAMED)
    while "model" not in reader.fields and not reader.done and not reader.fault:
        piece = await next_piece(request)
        if not piece:
            break
        reader.feed(piece)
        await spool.write(piece)
    if reader.fault:
        raise BadRequest(f"the multipart form cannot be read: {reader.fault}")
    return reader.fields


def body_here(request: web.Request, limit: int) -> bytes | None:
    """The whole body, where it came with its head."""
    if not request.content.is_eof():
        return None
    body = request.content.read_nowait()
    if len(body) > limit:
        raise too_large(limit)
    return body


async def read_body(request: web.Request, limit: int) -> bytes:
    """The whole body, or a refusal before more of it than the limit is held."""
    declared = request.content_length
    if declared is not None and declared > limit:
        raise too_large(limit)
    pieces: list[bytes] = []
    held = 0
    while piece := await next_piece(request):
        held += len(piece)
        if held > limit:
            raise too_large(limit)
        pieces.append(piece)
        if request.content.at_eof():
            break
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def invite(request: web.Request) -> None:
    """Lets a caller send the body who waits for a word first."""
    if CONTINUED not in request and hdrs.EXPECT in request.headers:
        request[CONTINUED] = True
        waits = request.headers[hdrs.EXPECT].lower() == "100-continue" and request.version >= HttpVersion11
        if waits and request.transport is not None:
            request.transport.write(CONTINUE)


async def next_piece(request: web.Request) -> bytes:
    """What has come, at least a byte; empty at the end. Whoever asks for the first piece lets the caller send it."""
    invite(request)
    try:
        return request.content.read_nowait() or await paced(request)
    except (ClientPayloadError, http_exceptions.BadHttpMessage) as mistake:
        raise BadRequest(f"the request body broke off or is not well-formed: {mistake}") from mistake


async def paced(request: web.Request) -> bytes:
    """What is still to come, or a refusal where it is too slow. The time that we do not ask for it does not count."""
    pace, content = pace_of(request), request.content
    if pace is None or content.at_eof():
        return await content.readany()
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(pace.left):
            piece = await content.readany()
    except TimeoutError as silence:
        limit = f"{pace.stall:g} s (limits.uploadStall)"
        raise Stalled(f"the request body stopped coming: it may bring nothing for at most {limit}") from silence
    pace.came(len(piece), loop.time() - began)
    return piece


def too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the request body is larger than {limit} bytes: raise maxBodySize in the configuration")
