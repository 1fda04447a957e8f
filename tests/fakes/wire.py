"""The connection of a caller, without a network."""

from __future__ import annotations

import asyncio
import socket


class Wire(asyncio.Transport):
    """Takes what is written."""

    def __init__(self, opened: socket.socket | None = None) -> None:
        super().__init__({"socket": opened})
        self.over = asyncio.Event()
        self.written = b""
        self.is_read = True
        self.news = asyncio.Event()

    async def says(self, text: bytes) -> None:
        """Until that was written."""
        async with asyncio.timeout(10):
            while text not in self.written:
                self.news.clear()
                await self.news.wait()

    def is_closing(self) -> bool:
        return self.over.is_set()

    def close(self) -> None:
        self.over.set()

    def abort(self) -> None:
        self.over.set()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data
        self.news.set()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True
