"""One request to a model's server and its answer to the caller: bytes go from socket to socket in one callback.

Knows no model, no dialect and no server: the caller's side is a `Sink`, what to say at a break comes as `broken`."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable

from llamaswap_py.errors import Refusal, UpstreamFailed
from llamaswap_py.runtime.heartbeat import Beat, Clock
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.runtime.pump import Pump
from llamaswap_py.runtime.sides import USUAL, Closer, Manner, Nobody, Outcome, Phase, Sink, Tap
from llamaswap_py.runtime.upstream import Connection
from llamaswap_py.runtime.waits import Limit, Wait, limit_of
from llamaswap_py.wire.answer import Answer
from llamaswap_py.wire.continued import Continued
from llamaswap_py.wire.headers import Flow, Head, UpstreamRequest, upstream_head

__all__ = ["Closer", "Manner", "Outcome", "Phase", "Sink", "Tap", "UpstreamRequest", "relay"]


UNHEARD = deque[bytes](maxlen=0).append  # where nobody listens
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


def unweighed(sent: int) -> int:
    return sys.maxsize


def _phase(answer: Answer, sent: int, complete: bool) -> Phase:
    if complete:
        return Phase.COMPLETE
    if not sent:
        return Phase.NOTHING
    return Phase.BODY if answer.body_began else Phase.HEAD


def pump_for(request: UpstreamRequest, body: Flow, failed: Callable[[Refusal], None]) -> Pump:
    return Pump(body, body.length is None and not request.upgrade, failed)


def first_heard(tap: Tap, head: Head, answer: Answer, data: bytes) -> None:
    """What is written first begins with the whole head, where there is one of the server's."""
    tap.head(head, answer.chunked)
    if len(data) > answer.head_size:
        tap.body(data[answer.head_size :])


def fresh_answer(sink: Sink, request: UpstreamRequest) -> Answer:
    if sink.begun:
        return Continued(sink.caller, request.method)
    return Answer(sink.caller, request.method, bool(request.upgrade))


def beat_of(clock: Clock, manner: Manner, answer: Answer, sink: Sink, connection: Connection) -> Beat | None:
    """Where the caller reads a stream of events, begun by the server or before it."""
    if manner.heart is None or not (sink.begun or (answer.head is not None and answer.head.event_stream)):
        return None
    return manner.heart.join(clock, answer, sink, connection)


async def may_repeat(manner: Manner, tries: int) -> bool:
    """A living server had closed that connection; a dead one may have died of this request."""
    return tries < manner.tries and (manner.death is None or await manner.death() is None)


class Passage:
    """The state of one relay. Everything happens in the connection's callbacks."""

    __slots__ = (
        "_answer", "_beat", "_began", "_broken", "_closed_by", "_connection", "_ended", "_first_byte", "_gap",
        "_hear", "_heard", "_last", "_late", "_loop", "_manner", "_mark", "_now", "_over", "_pool", "_pump",
        "_refusal", "_request", "_sent", "_sink", "_steady", "_tap", "_tries", "_wait", "_weigh",
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
        self._tap = tap = manner.tap
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
        self._hear = tap.body if tap is not None else UNHEARD
        self._weigh = tap.weigh if tap is not None else unweighed
        self._mark = self._weigh(0)  # bytes: beyond it the tap is asked again
        self._over = False
        self._sent = sink.begun
        self._began = self._loop.time()
        self._first_byte: float | None = None
        self._now = self._loop.time  # looked at for every piece of a stream
        self._last = 0.0  # when the piece before came
        self._gap = 0.0  # the longest between two
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
                self._again()
                await self._exchange(await self._pool.take(fresh=True), head)
        except Refusal as refusal:
            self._break(refusal, Closer.UPSTREAM if isinstance(refusal, UpstreamFailed) else Closer.US)
        finally:
            if self._pump is not None:
                await self._pump.stop()

    def received(self, data: bytes) -> None:
        answer = self._answer
        out = answer.feed(data)
        if not self._steady:
            full = self._begins(out)
        elif out:
            now = self._now()
            if now - self._last > self._gap:  # noqa: PLR1730 - a call of `max` for every piece is dearer
                self._gap = now - self._last
            self._last = now
            self._hear(out)
            self._sent = sent = self._sent + len(out)
            if sent > self._mark:
                self._mark = self._weigh(sent)
            full = self._sink.write(out)
        else:
            full = False
        if answer.settled:
            self._settle()
        elif full and self._connection is not None:
            self._connection.pause()
            self._wait.ring()

    def _begins(self, out: bytes) -> bool:
        """Until the answer's first byte is with the caller there is more to look after."""
        self._heard = True
        if self._late is not None and self._answer.head is not None:
            self._lift()
        full = self._write(out) if out else False
        if self._pump is not None and self._answer.switched and not self._pump.started and self._connection:
            self._pump.start(self._connection)
        self._steady = self._first_byte is not None and self._answer.head is not None
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
        self._lift()
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
        self._sink = Nobody(self._sink)
        self._wait = Wait(self._loop)
        connection.resume()
        try:
            async with asyncio.timeout(seconds):
                await self._wait.rung()
        except TimeoutError:
            return

    def outcome(self) -> Outcome:
        answer, sent, begun = self._answer, self._sent, self._sink.begun
        complete = self._over and self._closed_by is None
        return Outcome(
            BEGUN_STATUS if begun else answer.head.status if answer.head is not None else 0,
            sent,
            _phase(answer, sent, complete),
            self._closed_by,
            self._refusal,
            complete,
            complete and self._sink.caller.keep_alive and answer.keeps_caller,
            self._began,
            self._first_byte,
            self._ended,
            self._tries,
            sent > begun,
            self._gap,
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
            try:
                await self._wait.drained(self._sink)
            except ConnectionError:
                self.finish(Closer.CALLER, None)
            if self._connection is not None:
                self._connection.resume()

    def _lift(self) -> None:
        if self._late is not None:
            self._late.lift()
            self._late = None

    def _again(self) -> None:
        """Back to the beginning, for the one repetition."""
        self._answer = fresh_answer(self._sink, self._request)
        self._over, self._closed_by, self._refusal = False, None, None

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
            if self._sent > self._sink.begun:
                self._say(refusal)
        finally:
            self.finish(closed_by, refusal)

    def _say(self, refusal: Refusal) -> None:
        event = self._answer.cut(self._broken(refusal))
        if event:
            self._write(event)
        if self._answer.needs_reset:
            self._sink.abort(reset=True)

    def _write(self, data: bytes) -> bool:
        if self._first_byte is None:
            self._first_byte = self._last = self._loop.time()
            head = self._answer.head
            if head is not None:
                self._pool.served = self._pool.served or head.status < 500
                if self._tap is not None:
                    first_heard(self._tap, head, self._answer, data)
        else:
            self._hear(data)
        self._sent += len(data)
        if self._sent > self._mark:
            self._mark = self._weigh(self._sent)
        return self._sink.write(data)
