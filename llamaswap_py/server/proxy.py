"""The one handler for every model route: read, resolve, take a seat, let the bytes flow, leave."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web
from msgspec import structs

from llamaswap_py.config.filters import Edits, edits
from llamaswap_py.config.names import Choice
from llamaswap_py.config.values import Config, Peer
from llamaswap_py.dialects.dialect import Dialect, Route, Say
from llamaswap_py.errors import Refusal, UpstreamFailed
from llamaswap_py.runtime.conductor import Conductor, Lease, refuse_disabled
from llamaswap_py.runtime.peers import Peers, addressed
from llamaswap_py.runtime.relay import Manner, Outcome, relay
from llamaswap_py.runtime.runs import Ground, Run
from llamaswap_py.schedule.plan import Phase
from llamaswap_py.schedule.refusals import not_loaded
from llamaswap_py.server.bodies import Received, receive
from llamaswap_py.server.choosing import Choosing
from llamaswap_py.server.doors import ANY_ORIGIN, Door, Handler, Kind
from llamaswap_py.server.guard import Guard
from llamaswap_py.server.identity import HEADER, id_of, without_ours
from llamaswap_py.server.loading import Loading
from llamaswap_py.server.recording import Recording, Recordings
from llamaswap_py.server.relayed import Relayed, RequestSink
from llamaswap_py.server.sharing import caller_of
from llamaswap_py.server.shortcut import Asking
from llamaswap_py.wire.headers import Flow, UpstreamRequest

TRIES = 2  # servers that may read one request: what kills a server must not kill the next and the next
# Longer than answers take; whoever hung up a stream that never ends must not hold its seat for ever.
DRAIN_SECONDS = 600.0
PRIVATE = "X-Private"  # a request's own word on it
YES = ("1", "true", "yes")


class Errand(msgspec.Struct, frozen=True):
    """A request on its way to a model."""

    model: str
    upstream: UpstreamRequest
    dialect: Dialect
    recording: Recording | None = None
    open: bool = True  # pages of every origin may read the answer
    wakes: bool = True  # may start the model
    looks: bool = False  # asks of the server how it is: takes no seat, starts nothing, is no use
    say: Say | None = None  # news of the loading, to a caller who wants them
    peer: Peer | None = None  # whose model it is; None: it is ours


class Proxy:
    def __init__(
        self,
        conductor: Conductor,
        peers: Peers,
        guard: Callable[[], Guard],
        recordings: Recordings,
        choosing: Choosing,
    ) -> None:
        self.conductor = conductor
        self.peers = peers
        self.guard = guard
        self.recordings = recordings
        self.choosing = choosing
        self.rules = Rules()

    def doors(self, dialect: Dialect) -> list[Door]:
        return [
            Door(route.method, route.path, Kind.MODEL, self.bound_to(dialect, route), dialect, relays=True)
            for route in dialect.routes
        ]

    def bound_to(self, dialect: Dialect, route: Route) -> Handler:
        def infer(request: web.Request) -> Awaitable[web.StreamResponse]:
            return self.infer(request, dialect, route)

        return infer

    async def infer(self, request: web.Request, dialect: Dialect, route: Route) -> web.StreamResponse:
        with await receive(request, self.conductor.config.max_body_bytes) as received:
            asked = dialect.read(received.parts).model
            chosen, config = self.choosing.choose(asked), self.conductor.config
            title = title_of(chosen) if isinstance(chosen, Choice) else asked
            with self.recordings.begin(request, title, route.upstream or request.path) as recording:
                choice = self.choosing.settled(chosen)
                received.change(self.rules(config, choice, asked))
                upstream = self.upstream_request(request, route, received)
                errand = self.errand(choice, upstream, dialect, recording)
                if is_quiet(config, request.method, upstream.target):
                    errand = structs.replace(errand, looks=True)
                # News of the loading come before the answer: nothing may be left of the request to be read then.
                if self.tells(choice) and isinstance(upstream.body, bytes) and dialect.read(received.parts).stream:
                    errand = structs.replace(errand, say=dialect.loading(request.path))
                if not choice.selector:
                    return await self.carry(request, errand)
                recording.metadata["selector"] = choice.selector
                with self.choosing.hold(choice):
                    return await self.carry(request, errand)

    def errand(self, choice: Choice, upstream: UpstreamRequest, dialect: Dialect, recording: Recording) -> Errand:
        if isinstance(choice.target, str):
            return Errand(choice.target, upstream, dialect, recording)
        peer = self.conductor.config.peers[choice.target.peer]
        return Errand(choice.name, addressed(upstream, peer), dialect, recording, peer=peer)

    def tells(self, choice: Choice) -> bool:
        return isinstance(choice.target, str) and self.conductor.config.models[choice.target].send_loading_state

    def upstream_request(self, request: web.Request, route: Route, received: Received) -> UpstreamRequest:
        drop = self.guard().dropped_headers
        path = route.upstream or request.rel_url.raw_path
        target = f"{path}?{received.query}" if received.query else path
        return sent_on(request, target, received.body, drop | {"content-encoding"} if received.plain else drop)

    def is_private(self, request: web.Request, name: str) -> bool:
        """Its caller says so, or whoever configured the model."""
        model = self.conductor.config.models.get(name)
        return (model is not None and model.private) or request.headers.get(PRIVATE, "").lower() in YES

    async def carry(self, request: web.Request, errand: Errand) -> web.StreamResponse:
        """The answer of a model's server; of the next one where it died before a byte of its answer came."""
        recording = errand.recording
        if recording is not None:
            if self.is_private(request, errand.model):
                recording.private = True
            else:
                recording.asks(errand.upstream)
        outcome, death = await self.fetched(request, errand)
        if recording is not None:
            recording.ended(outcome)
        if outcome.refusal is not None and not outcome.bytes_sent:
            raise (death or outcome.refusal).afresh()
        return Relayed(request, outcome)

    def fetched(self, request: web.Request, errand: Errand) -> Awaitable[tuple[Outcome, Refusal | None]]:
        if errand.peer is not None:
            return self.visit(request, errand, errand.peer)
        if errand.looks:
            return self.look(request, errand)
        return Passing(self.conductor, request, errand).complete()

    async def look(self, request: web.Request, errand: Errand) -> tuple[Outcome, None]:
        """Without a seat: it neither starts a model nor holds anything up."""
        conductor, model = self.conductor, errand.model
        refuse_disabled(conductor.disabled, model)
        sight = conductor.scheduler.sight(model)
        if sight is None or sight.phase is not Phase.READY:
            raise not_loaded(model)
        run = conductor.runs[sight.run]
        sink = RequestSink(request, fields_of(errand))
        manner = manner_of(errand, conductor.ground)
        return await relay(run.connections, errand.upstream, sink, errand.dialect.broken, manner=manner), None

    async def visit(self, request: web.Request, errand: Errand, peer: Peer) -> tuple[Outcome, Refusal | None]:
        """A peer's answer. It is asked once, and of its ways nothing is known here."""
        sink = RequestSink(request, fields_of(errand))
        with self.peers.visit(peer) as connections:
            manner = manner_of(errand, self.conductor.ground)
            outcome = await relay(connections, errand.upstream, sink, errand.dialect.broken, manner=manner)
        refusal = outcome.refusal
        return outcome, type(refusal)(f"peer {peer.id}: {refusal.message}") if refusal else None


def sent_on(request: web.Request, target: str, body: bytes | Flow, drop: frozenset[str]) -> UpstreamRequest:
    """The request for a model's server."""
    same = request.goes_on if isinstance(request, Asking) else None
    return UpstreamRequest(
        request.method,
        target,
        without_ours(request.headers.items()) if same is None else same,
        body,
        request.remote or "",
        drop,
        own=((HEADER, id_of(request)),),
        repeated=same is not None,
    )


def manner_of(errand: Errand, ground: Ground, tries: int = TRIES, run: Run | None = None) -> Manner:
    tap = errand.recording.tap if errand.recording else None
    if run is None:
        return Manner(tap, tries, heart=ground.heart, express=ground.express)
    drain = DRAIN_SECONDS if run.model.drain_on_abort else 0.0
    return Manner(tap, tries, run.death, drain, ground.heart, ground.express)


class Passing:
    """One request on its way through a model here, from its seat to its answer."""

    __slots__ = ("caller", "conductor", "errand", "loading", "request", "sink")

    def __init__(self, conductor: Conductor, request: web.Request, errand: Errand) -> None:
        self.conductor = conductor
        self.errand = errand
        self.caller = caller_of(request, conductor.config)
        self.request = id_of(request)
        self.sink = RequestSink(request, fields_of(errand))
        self.loading: Loading | None = None

    async def complete(self) -> tuple[Outcome, Refusal | None]:
        """What became of it; and of a server that gave no answer, how it died."""
        outcome, death = await self.attempt(TRIES)
        if death is not None and self.repeatable(outcome):
            outcome, death = await self.attempt(TRIES - outcome.tries)
        if outcome.refusal is not None and not outcome.answered and self.loading is not None:
            outcome = self.loading.broken(death or outcome.refusal, self.errand.dialect.broken) or outcome
        return outcome, death

    def repeatable(self, outcome: Outcome) -> bool:
        """An upload can be sent only once."""
        if outcome.answered:
            return False
        return outcome.tries < (TRIES if isinstance(self.errand.upstream.body, bytes) else 1)

    async def attempt(self, tries: int) -> tuple[Outcome, Refusal | None]:
        errand, broken = self.errand, self.errand.dialect.broken
        lease = self.conductor.lease(errand.model, self.caller, self.request, wakes=errand.wakes)
        loading = self.waiting(lease, errand.say) if errand.say is not None else None
        try:
            async with lease as run:
                if errand.recording is not None:
                    errand.recording.served = run.times
                    errand.recording.metadata["fifo_priority"] = str(lease.asked.priority)
                upstream = errand.upstream if loading is None else loading.end(errand.upstream)
                manner = manner_of(errand, run.ground, tries, run)
                outcome = await relay(run.connections, upstream, self.sink, broken, manner=manner)
        except (Refusal, asyncio.CancelledError) as error:
            ended = loading.broken(error, broken) if loading is not None else None
            if ended is None:
                raise
            return ended, None
        finally:
            if loading is not None:
                loading.stop()
        if outcome.refusal is None or outcome.answered or not isinstance(outcome.refusal, UpstreamFailed):
            return outcome, None
        return outcome, await run.death()

    def waiting(self, lease: Lease, say: Say) -> Loading:
        if self.loading is None:
            self.loading = Loading(self.sink, lease, say)
        else:
            self.loading.again(lease)
        return self.loading


def title_of(choice: Choice) -> str:
    """What a model is called in records."""
    return choice.target if isinstance(choice.target, str) else choice.name


class Rules:
    """What the configuration changes in a request, by the name it asked for and what that came to mean."""

    def __init__(self) -> None:
        self.config: Config | None = None
        self.found: dict[tuple[str, str], Edits] = {}  # by this configuration; only names in it come to mean something

    def __call__(self, config: Config, choice: Choice, asked: str) -> Edits:
        if config is not self.config:
            self.config, self.found = config, {}
        told = self.found.get((choice.name, asked))
        if told is None:
            told = edits(config, choice.name)
            if told.model_name is None and choice.name != asked:
                told = structs.replace(told, model_name=choice.name)
            self.found[choice.name, asked] = told
        return told


def fields_of(errand: Errand) -> tuple[tuple[str, str], ...]:
    """Our own fields of a relayed answer."""
    named = errand.upstream.own
    return (ANY_ORIGIN, *named) if errand.open else named


def is_quiet(config: Config, method: str, target: str) -> bool:
    """Whether a path at a model's server only tells of it."""
    if method not in ("GET", "HEAD"):
        return False
    path = target.partition("?")[0]
    return any(re.search(pattern, path) for pattern in config.quiet_paths)
