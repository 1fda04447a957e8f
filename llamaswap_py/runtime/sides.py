"""The caller's side of a relay, who listens beside it, and what became of a request. Moves no bytes itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import msgspec

from llamaswap_py.errors import Refusal
from llamaswap_py.runtime.heartbeat import Heart
from llamaswap_py.wire.headers import Caller, Head
from llamaswap_py.wire.window import Piece

if TYPE_CHECKING:
    from llamaswap_py.runtime.express import Express


class Sink(Protocol):
    """The caller's connection, as the relay needs it. Writing to a caller who is gone does nothing."""

    @property
    def caller(self) -> Caller: ...

    @property
    def full(self) -> bool: ...

    @property
    def begun(self) -> int:
        """The bytes of a stream that somebody has begun already, its head among them; 0: nothing was sent."""

    @property
    def descriptor(self) -> int:
        """Of its socket, where what is written is the next it gets, as long as nothing is written here, and until its
        departure; -1: not now, or never."""

    def on_departure(self, call: Callable[[], None] | None) -> None:
        """Called before the descriptor is closed, and may be somebody else's. None: nobody needs to know any more."""

    def write(self, data: Piece) -> bool:
        """Whether it is full now."""

    def write_all(self, pieces: Sequence[Piece]) -> bool:
        """In one go."""

    async def drained(self) -> None:
        """Wait until it is no longer full; ConnectionError where the caller is gone."""

    def abort(self, reset: bool) -> None:
        """Close at once, dropping what is unsent; with `reset` so that the caller can see it was no proper end."""


class Tap(Protocol):
    """Who listens to the answer on its way. Called between two pieces of it, so it must be quick."""

    def head(self, head: Head, chunked: bool) -> None:
        """The server's head, once; `chunked`: every piece of the body that follows is whole chunks."""

    @property
    def body(self) -> Callable[[Piece], object]:
        """To be called for each piece of the body as it is written to the caller: of a stream of events, whole ones."""

    def weigh(self, sent: int) -> int:
        """So many bytes were written; at how many this is to be called again. The moment to let go of pieces."""

    def slim(self) -> None:
        """The caller has been behind for a while, and may never read on: hold as little as will do."""


class Phase(Enum):
    """How far an answer got to the caller."""

    NOTHING = "nothing sent"
    HEAD = "head"
    BODY = "body"
    COMPLETE = "complete"


class Closer(Enum):
    """Who ended an answer before its end."""

    CALLER = "caller"
    UPSTREAM = "upstream"
    US = "us"


class Outcome(msgspec.Struct, frozen=True):
    """What became of one request."""

    status: int  # 0 where no head came
    bytes_sent: int  # to the caller, heads and framing included
    phase: Phase
    closed_by: Closer | None  # None: it ended by itself
    refusal: Refusal | None  # with Phase.NOTHING it is still to be answered; later the caller has met it
    complete: bool  # the caller has a whole message
    keep_alive: bool  # the caller's connection may carry another answer
    began: float  # loop times: when the relay was asked,
    first_byte: float | None  # when the first byte went to the caller,
    ended: float  # and when there was nothing more to do
    tries: int = 1  # how often a server may have read the request; 0: it can still be sent, whatever its body
    answered: bool = True  # bytes of a server's answer went to the caller
    longest_gap: float = 0.0  # seconds between two pieces of it


class Manner(msgspec.Struct, frozen=True):
    """How one request is to be carried."""

    tap: Tap | None = None
    tries: int = 2  # that many servers may read it at most; what kills a server must not be sent for ever
    death: Callable[[], Awaitable[Refusal | None]] | None = None  # why the server is gone, where it is
    drain: float = 0.0  # seconds: where the caller leaves, the answer is read on for so long
    heart: Heart | None = None  # says to the caller of a silent stream that it goes on
    express: Express | None = None  # carries what flows


class Nobody:
    """In the place of a caller who has left: takes everything and keeps nothing."""

    full = False
    descriptor = -1

    def __init__(self, left: Sink) -> None:
        self.caller = left.caller
        self.begun = left.begun

    def write(self, data: Piece) -> bool:
        return False

    def write_all(self, pieces: Sequence[Piece]) -> bool:
        return False

    async def drained(self) -> None:
        pass

    def on_departure(self, call: Callable[[], None] | None) -> None:
        pass

    def abort(self, reset: bool) -> None:
        pass


USUAL = Manner()
