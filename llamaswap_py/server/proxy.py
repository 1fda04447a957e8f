"""The one handler for every model route: read, resolve, take a seat, let the bytes flow, leave."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import hdrs, web

from llamaswap_py.config.names import resolve
from llamaswap_py.dialects.dialect import Dialect, Parts
from llamaswap_py.errors import BodyTooLarge, Refusal, UpstreamFailed
from llamaswap_py.runtime.conductor import Conductor
from llamaswap_py.runtime.relay import Outcome, relay
from llamaswap_py.server.control import known
from llamaswap_py.server.doors import ANY_ORIGIN, Door, Handler, Kind
from llamaswap_py.server.guard import Guard
from llamaswap_py.server.recording import Recording, Recordings
from llamaswap_py.server.relayed import Relayed, RequestSink
from llamaswap_py.wire.body import with_model
from llamaswap_py.wire.headers import UpstreamRequest

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Proxy:
    def __init__(self, conductor: Conductor, guard: Callable[[], Guard], recordings: Recordings) -> None:
        self.conductor = conductor
        self.guard = guard
        self.recordings = recordings

    def doors(self, dialect: Dialect) -> list[Door]:
        handler = self.bound_to(dialect)
        return [Door("POST", path, Kind.MODEL, handler, dialect) for path in dialect.paths]

    def bound_to(self, dialect: Dialect) -> Handler:
        async def infer(request: web.Request) -> web.StreamResponse:
            return await self.infer(request, dialect)

        return infer

    async def infer(self, request: web.Request, dialect: Dialect) -> web.StreamResponse:
        body = await read_body(request, self.conductor.config.max_body_bytes)
        intent = dialect.read(parts_of(request, body))
        name = resolve(self.conductor.config, intent.model)
        with self.recordings.begin(request, name or intent.model, request.path) as recording:
            return await self.answer(request, known(self.conductor.config, intent.model), body, dialect, recording)

    async def answer(
        self, request: web.Request, name: str, body: bytes, dialect: Dialect, recording: Recording
    ) -> web.StreamResponse:
        model = self.conductor.config.models[name]
        if model.use_model_name:
            body = with_model(body, model.use_model_name)
        upstream = UpstreamRequest(
            method=request.method,
            target=request.raw_path,
            headers=list(request.headers.items()),
            body=body,
            caller_ip=request.remote or "",
            drop=self.guard().dropped_headers,
        )
        recording.asks(upstream.headers, body)
        outcome, death = await self.pass_on(request, name, upstream, dialect, recording)
        if death is not None and not outcome.reached:
            outcome, death = await self.pass_on(request, name, upstream, dialect, recording)
        if outcome.refusal is not None and not outcome.bytes_sent:
            raise death or outcome.refusal
        recording.ended(outcome)
        return Relayed(request, outcome)

    async def pass_on(
        self, request: web.Request, name: str, upstream: UpstreamRequest, dialect: Dialect, recording: Recording
    ) -> tuple[Outcome, Refusal | None]:
        """What became of it; and of a server that gave no answer, how it died."""
        async with self.conductor.lease(name, upstream.caller_ip) as run:
            sink = RequestSink(request, extra=(ANY_ORIGIN,))
            outcome = await relay(run.connections, upstream, sink, dialect.broken, tap=recording.tap)
        unanswered = isinstance(outcome.refusal, UpstreamFailed) and not outcome.bytes_sent
        return outcome, await run.death() if unanswered else None


def parts_of(request: web.Request, body: bytes) -> Parts:
    declared = request.headers.get(hdrs.CONTENT_TYPE, "")
    return Parts(
        path=request.path,
        content_type=declared.partition(";")[0].strip().lower(),
        content_encoding=request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower(),
        body=body,
    )


async def read_body(request: web.Request, limit: int) -> bytes:
    """The whole body, or a refusal before more of it than the limit is held."""
    declared = request.content_length
    if declared is not None and declared > limit:
        raise too_large(limit)
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(CONTINUE)
    pieces: list[bytes] = []
    held = 0
    while piece := await request.content.readany():
        held += len(piece)
        if held > limit:
            raise too_large(limit)
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the request body is larger than {limit} bytes: raise maxBodySize in the configuration")
