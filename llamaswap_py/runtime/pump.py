"""Sends a body on while it still comes: as fast as the slower side, never more than a piece in hand."""

from __future__ import annotations

from collections.abc import Callable

from llamaswap_py.errors import Refusal
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.runtime.upstream import Connection
from llamaswap_py.wire.chunks import LAST_CHUNK, chunk
from llamaswap_py.wire.headers import Flow


class Pump:
    """One body into one connection. `failed` hears why the rest of it cannot be had."""

    def __init__(self, body: Flow, chunked: bool, failed: Callable[[Refusal], None]) -> None:
        self._body = body
        self._chunked = chunked
        self._failed = failed
        self._tasks = Tasks()
        self.started = False

    def start(self, connection: Connection) -> None:
        self.started = True
        self._body.invite()
        self._tasks.start("pump", self._run(connection))

    async def stop(self) -> None:
        """Afterwards nothing reads the body any more."""
        await self._tasks.close()

    async def _run(self, connection: Connection) -> None:
        try:
            while piece := await self._body.read():
                if not await connection.sending.piece(chunk(piece) if self._chunked else piece):
                    return  # whoever listens to the connection hears it there
        except Refusal as refusal:
            self._failed(refusal.afresh())
            return
        except ConnectionError as gone:  # whoever sent it is; that cancels the relay
            gone.with_traceback(None)  # the body's reader keeps it, and what it was raised through would keep that
            return
        if not self._chunked or await connection.sending.piece(LAST_CHUNK):
            connection.sending.end()
