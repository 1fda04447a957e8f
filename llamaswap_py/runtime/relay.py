"""One request to a model's server and its answer to the caller: bytes go from socket to socket in one callback.

Knows no model, no dialect and no server: the caller's side is a `Sink`, what to say at a break comes as `broken`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from llamaswap_py.errors import Refusal, UpstreamFailed
from llamaswap_py.runtime.express import Ride
from llamaswap_py.runtime.heartbeat import Beat, Clock
from llamaswap_py.runtime.passed import Passed
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.pump import Pump
from llamaswap_py.runtime.sides import USUAL, Closer, Manner, Nobody, Outcome, Phase, Sink, Tap
from llamaswap_py.runtime.upstream import Connection
from llamaswap_py.runtime.waits import Limit, Wait, limit_of
from llamaswap_py.wire.answer import Answer
from llamaswap_py.wire.continued import Continued
from llamaswap_py.wire.headers import Flow, UpstreamRequest, upstream_head
from llamaswap_py.wire.window import Piece

__all__ = ["Closer", "Manner", "Outcome", "Phase", "Sink", "Tap", "UpstreamRequest", "relay"]


MUCH = 1024  # bytes of one read
TRUSTED = 2  # pieces in a row that went straight through, until the stream rides; twice as many the next time
ASKED_AGAIN = 32  # pieces, where there is no ride to be had
STALLED = 1.0  # seconds that a caller is behind: what is held of a long answer for its record is cut short
BEGUN_STATUS = 200  # what a caller was told whose stream was begun before a server spoke


async def relay(
    pool: Pool,
    request: UpstreamRequest,
    sink: Sink,
    broken: Callable[[Refusal], bytes],
    ended: Callable[[Outcome], None] | None = None,
    *,
    manner: Manner = USUAL,
) -> Outcome:
    """Carry one request. No Refusal is raised: it is in the Outcome.

    `broken` gives the error event of the caller's dialect. `ended` is called once with the Outcome, also when
    cancellation (the caller is gone) passes through here. A server that dies over a used connection before its
    first byte is asked once more: the server had closed that connection, it had not begun to answer. What breaks
    before a byte of an answer was passed is not told here, even where the caller's stream has begun. A cancellation
    whose message is a Refusal is somebody's order: the answer is broken off with it, and this returns."""
    passage = Passage(pool, request, sink, broken, manner)
    express = manner.express
    if express is not None:
        express.streams += 1
    try:
        await passage.run()
    except asyncio.CancelledError as cancelled:
        order = ordered(cancelled)
        if order is None:
            try:
                await passage.drain(manner.drain)
            finally:
                passage.finish(Closer.CALLER, None)
            raise
        passage.lost(order)
    finally:
        if express is not None:
            express.streams -= 1
        if ended is not None:
            ended(passage.outcome())
    return passage.outcome()


def ordered(cancelled: asyncio.CancelledError) -> Refusal | None:
    """The refusal with which a request was cancelled by order; then it is taken for heard. None: its caller left."""
    order = cancelled.args[0] if cancelled.args else None
    if not isinstance(order, Refusal):
        return None
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    return order


def _phase(answer: Answer, sent: int, complete: bool) -> Phase:
    if complete:
        return Phase.COMPLETE
    if not sent:
        return Phase.NOTHING
    return Phase.BODY if answer.body_began else Phase.HEAD


def pump_for(request: UpstreamRequest, body: Flow, failed: Callable[[Refusal], None]) -> Pump:
    return Pump(body, body.length is None and not request.upgrade, failed)


def fresh_answer(sink: Sink, request: UpstreamRequest) -> Answer:
    if sink.begun:
        return Continued(sink.caller, request.method)
    return Answer(sink.caller, request.method, bool(request.upgrade))


def beat_of(clock: Clock, manner: Manner, answer: Answer, sink: Sink, connection: Connection) -> Beat | None:
    """Where the caller reads a stream of events, begun by the server or before it."""
    if manner.heart is None or not (sink.begun or (answer.head is not None and answer.head.event_stream)):
        return None
    return manner.heart.join(clock, answer, sink, connection.hearing)


async def may_repeat(manner: Manner, tries: int) -> bool:
    """A living server had closed that connection; a dead one may have died of this request."""
    return tries < manner.tries and (manner.death is None or await manner.death() is None)


class Passage:
    """The state of one relay. Everything happens in the connection's callbacks."""

    __slots__ = (
        "_answer", "_beat", "_began", "_broken", "_closed_by", "_connection", "_ended", "_heard", "_late", "_loop",
        "_manner", "_now", "_over", "_passed", "_pool", "_pump", "_refusal", "_request", "_sink", "_smooth",
        "_steady", "_tries", "_trusted", "_wait",
    )  # fmt: skip

    def __init__(
        self,
        pool: Pool,
        request: UpstreamRequest,
        sink: Sink,
        broken: Callable[[Refusal], bytes],
        manner: Manner,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._manner = manner
        self._tries = 0  # connections there were to send the request on
        self._pool = pool
        self._request = request
        self._sink = sink
        self._broken = broken
        self._answer = fresh_answer(sink, request)
        self._pump = None if isinstance(request.body, bytes) else pump_for(request, request.body, self.lost)
        self._connection: Connection | None = None
        self._wait = Wait(self._loop)
        self._late: Limit | None = None
        self._beat: Beat | None = None
        self._heard = False  # the server has sent something
        self._steady = False  # its head is known and the caller has the beginning: the rest is passed on
        self._over = False
        self._passed = Passed(manner.tap, sink.begun)
        self._began = self._loop.time()
        self._now = self._loop.time  # looked at for every piece of a stream
        self._smooth = 0  # pieces in a row that went straight through
        self._trusted = TRUSTED
        self._ended = 0.0
        self._closed_by: Closer | None = None
        self._refusal: Refusal | None = None

    async def run(self) -> None:
        try:
            head = upstream_head(self._request, self._pool.address)
            # What can be sent only once is not risked on a connection that may be closing.
            connection = self._pool.warm() if self._pump is None and not self._sink.begun else None
            used = connection is not None
            if connection is None:
                connection = await self._pool.take(fresh=True)
            await self._exchange(connection, head)
            unheard = used and not self._heard and self._closed_by is Closer.UPSTREAM
            if unheard and await may_repeat(self._manner, self._tries):
                self._answer = fresh_answer(self._sink, self._request)  # back to the beginning
                self._over, self._closed_by, self._refusal = False, None, None
                await self._exchange(await self._pool.take(fresh=True), head)
        except Refusal as refusal:
            closer = Closer.UPSTREAM if isinstance(refusal, UpstreamFailed) else Closer.US
            self._break(refusal.afresh(), closer)
        finally:
            if self._pump is not None:
                await self._pump.stop()
                self._pump = None  # it knows us

    def received(self, data: bytes) -> None:
        answer = self._answer
        if not self._steady:
            full = self._begins(answer.parts(data) if len(data) > MUCH else (answer.feed(data),))
        elif len(data) > MUCH:
            parts, now = [part for part in answer.parts(data) if part], self._now()
            for part in parts:
                self._passed.piece(part, now)
            full = self._sink.write_all(parts) if parts else False
            self._smooth = self._smooth + 1 if parts and parts[0] is data else 0
        elif out := answer.feed(data):
            self._passed.piece(out, self._now())
            full = self._sink.write(out)
            self._smooth = self._smooth + 1 if out is data else 0
        else:
            full = False
        if answer.settled:
            self._settle()
        elif full:
            self._hold()
        elif self._smooth == self._trusted:
            self._board()

    def _hold(self) -> None:
        """The caller takes no more: nothing is read until it does."""
        if self._connection is not None:
            self._connection.pause()
            self._wait.ring()

    def _board(self) -> None:
        """What flows so well may go on without being looked at from here."""
        express, ending = self._manner.express, self._answer.ending
        if express is None or not express.goes:
            self._smooth = -ASKED_AGAIN
        elif ending and self._connection is not None:
            self._smooth, self._trusted = 0, 2 * self._trusted
            Ride(self._connection, self._sink, ending, self._passed, self._hold).board(express)

    def _begins(self, parts: Sequence[Piece]) -> bool:
        """Until the answer's first byte is with the caller there is more to look after."""
        self._heard = True
        if self._late is not None and self._answer.head is not None:
            self._late.lift()
        taken = [part for part in parts if part]
        full = self._write(*taken) if taken else False
        if self._pump is not None and self._answer.switched and not self._pump.started and self._connection:
            self._pump.start(self._connection)
        self._steady = self._passed.first is not None and self._answer.head is not None
        if self._steady and self._beat is None and self._connection is not None:
            self._beat = beat_of(self._loop, self._manner, self._answer, self._sink, self._connection)
        return full

    def ended(self) -> None:
        """The server closed its side."""
        out = self._answer.end()
        if out:
            self._write(out)
        self._settle()

    def lost(self, why: Refusal | None) -> None:
        if why is not None:
            self._break(why, Closer.US)
        else:
            self._break(UpstreamFailed(f"the model's server at {self._pool.address} broke the connection"))

    def finish(self, closed_by: Closer | None, refusal: Refusal | None) -> None:
        """End it, once: drop the connection if it is still ours, and wake the coroutine."""
        if self._over:
            return
        self._over = True
        if self._connection is not None:
            self._connection.hearing.stand_alone()
        if self._late is not None:
            self._late.lift()
        if self._beat is not None and self._manner.heart is not None:
            self._manner.heart.leave(self._beat)
            self._beat = None
        self._closed_by, self._refusal = closed_by, refusal
        self._ended = self._loop.time()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()
            connection.abort()
        self._wait.end()

    async def drain(self, seconds: float) -> None:
        """The caller has left, and the server must not notice. An upload that stopped coming cannot be completed."""
        connection = self._connection
        if not seconds or self._over or connection is None or not connection.sending.done:
            return
        connection.hearing.stand_alone()
        self._sink = Nobody(self._sink)
        self._wait = Wait(self._loop)
        connection.resume()
        try:
            async with asyncio.timeout(seconds):
                await self._wait.rung()
        except TimeoutError:
            return

    def outcome(self) -> Outcome:
        answer, passed, begun = self._answer, self._passed, self._sink.begun
        complete = self._over and self._closed_by is None
        return Outcome(
            BEGUN_STATUS if begun else answer.head.status if answer.head is not None else 0,
            passed.sent,
            _phase(answer, passed.sent, complete),
            self._closed_by,
            self._refusal,
            complete,
            complete and self._sink.caller.keep_alive and answer.keeps_caller,
            self._began,
            passed.first,
            self._ended,
            self._tries,
            passed.sent > begun,
            passed.gap,
        )

    async def _exchange(self, connection: Connection, head: bytes) -> None:
        self._connection = connection
        self._tries += 1
        body = self._request.body
        connection.judged = self._request.method == "POST" and not self._request.upgrade  # others may well be silent
        connection.begin(self, head, body if isinstance(body, bytes) else None)
        if self._pump is not None and not self._request.upgrade and not self._over:
            self._pump.start(connection)
        if not self._over:
            self._late = limit_of(self._pool, connection, self._break)
            if self._sink.begun:
                self._beat = beat_of(self._loop, self._manner, self._answer, self._sink, connection)
        while True:
            await self._wait.rung()
            if self._over:
                return
            stalls = self._loop.call_later(STALLED, self._passed.slim)
            try:
                await self._wait.drained(self._sink)
            except ConnectionError:
                self.finish(Closer.CALLER, None)
            finally:
                stalls.cancel()
            if self._connection is not None:
                self._connection.resume()

    def _settle(self) -> None:
        """The answer came to its end, good or bad."""
        answer, connection = self._answer, self._connection
        if not answer.done:
            if answer.fault is not None:
                self._break(answer.fault)
            return
        if connection is not None and answer.head is not None and answer.reusable:
            self._connection = None
            self._pool.give(connection, answer.head)
        self.finish(None, None)

    def _break(self, refusal: Refusal, closed_by: Closer = Closer.UPSTREAM) -> None:
        """The answer cannot be completed. If it has begun, say so as far as its form allows."""
        if self._over:
            return
        try:
            if self._passed.sent > self._sink.begun:
                event = self._answer.cut(self._broken(refusal))
                if event:
                    self._write(event)
                if self._answer.needs_reset:
                    self._sink.abort(reset=True)
        finally:
            self.finish(closed_by, refusal)

    def _write(self, data: Piece, *more: Piece) -> bool:
        passed, answer = self._passed, self._answer
        if passed.first is None:
            head = answer.head
            if head is not None:
                self._pool.served = self._pool.served or head.status < 500
            passed.beginning(data, self._loop.time(), head, answer.head_size, answer.chunked)
        else:
            passed.later(data)
        if not more:
            return self._sink.write(data)
        for each in more:
            passed.later(each)
        return self._sink.write_all((data, *more))
