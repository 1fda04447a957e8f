"""The callers of a measurement, in a process of their own: `python -m tests.performance.load streams|first-byte …`.

Prints `half` when the first stream is half over, and at the end one JSON line with what they saw."""

from __future__ import annotations

import argparse
import asyncio
import json
import select
import socket
import statistics
import time
from typing import cast

BODY = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Say a few words, please."}]}'

BEGINNING = b"data: {"  # of an event that carries a token
END = b"\r\n0\r\n\r\n"


def request(host: str, port: int, events: int, rate: float) -> bytes:
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\n"
        b"Accept: */*\r\nUser-Agent: load/1\r\nX-Work: %d %g\r\nContent-Length: %d\r\n\r\n%s"
        % (host.encode(), port, events, rate, len(BODY), BODY)
    )


class Reader(asyncio.Protocol):
    """One stream, counted by its events and ended by the last chunk."""

    transport: asyncio.Transport

    def __init__(self, ask: bytes, done: asyncio.Future[None], half: int = 0) -> None:
        self.ask, self.done = ask, done
        self.half = half  # at which it says so; 0: it does not
        self.events = 0
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self.transport.write(self.ask)

    def data_received(self, data: bytes) -> None:
        self.events += (self.tail + data).count(BEGINNING) - self.tail.count(BEGINNING)
        self.tail = (self.tail + data)[-len(END) :]
        if self.half and self.events >= self.half:
            self.half = 0
            print("half", flush=True)
        if self.tail == END and not self.done.done():
            self.done.set_result(None)
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(f"cut after {self.events} events: {error}"))


async def streams(host: str, port: int, count: int, events: int, rate: float) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    ask = request(host, port, events, rate)
    began = time.perf_counter()
    readers: list[Reader] = []
    for number in range(count):
        reader = Reader(ask, loop.create_future(), 0 if number else max(1, events // 2))
        await loop.create_connection(lambda one=reader: one, host, port)  # type: ignore[misc]
        readers.append(reader)
    await asyncio.gather(*(reader.done for reader in readers))
    return {"events": sum(reader.events for reader in readers), "seconds": time.perf_counter() - began}


def first_bytes(host: str, port: int, requests: int, pause: float) -> dict[str, float]:
    """One caller, one connection, one request after the other, so many seconds between them; milliseconds to the
    answer's first byte."""
    ask = request(host, port, 1, 0)
    times = []
    with socket.create_connection((host, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(requests):
            early, _, _ = select.select([connection], [], [], pause)
            assert not early, "something came that was not asked for"
            began = time.perf_counter()
            connection.sendall(ask)
            data = connection.recv(1 << 16)
            times.append(1000 * (time.perf_counter() - began))
            while not data.endswith(END):
                more = connection.recv(1 << 16)
                assert more, "the connection was closed"
                data += more
    times.sort()
    return {"p50": statistics.median(times), "p99": times[int(len(times) * 0.99)], "requests": requests}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("work", choices=("streams", "first-byte"))
    options.add_argument("address")
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--events", type=int, default=500)
    options.add_argument("--rate", type=float, default=50)
    options.add_argument("--pause", type=float, default=0)
    chosen = options.parse_args()
    host, _, port = chosen.address.partition(":")
    if chosen.work == "first-byte":
        print(json.dumps(first_bytes(host, int(port), chosen.count, chosen.pause)))
        return
    import uvloop

    from llamaswap_py.daemon.descriptors import raise_limit

    raise_limit()
    print(json.dumps(uvloop.run(streams(host, int(port), chosen.count, chosen.events, chosen.rate))))


if __name__ == "__main__":
    main()
