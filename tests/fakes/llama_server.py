#!/usr/bin/env python3
"""A real little llama-server: its surface, its limits, its bad manners, and worse ones on request.

Run it as `python tests/fakes/llama_server.py --port N --alias NAME`; `--help` lists what it can be told at its start.
One request can be told more, by a header `X-Fake: words=20 interval=0.05` or by `[fake words=20 interval=0.05]` in
its text:

    words=N      tokens in the answer (default 8), each one event of a stream
    pad=N        every token is N bytes longer
    interval=S   seconds between two events of the stream
    first=S      seconds before the first byte of the answer
    stall=N      send N events, then nothing more; `stall=before` sends no byte at all
    crash=N      SIGKILL itself after N events; `crash=before` before the first byte
    cut=N        close the connection in the middle of the answer after N events
    burn=S       use the processor for so long before the first byte, as a long prefill does
    error=N      one error event after N events, as llama-server sends it in mid-stream
    status=N     answer with this status and an error in llama-server's shape

What an answer says depends on `--alias` and the prompt only: see `llama_answers.text_of`.

As the real one, it answers 503 while it loads, announces `Keep-Alive: timeout=5, max=100` and keeps to it, and on
SIGTERM waits for callers who are still connected with a request in flight (their tokens stop at once); a second SIGTERM
ends it with status 1.

`--journal FILE` gets one JSON line for each of: start, ready, grandchild, open, request, answered, gone (the caller
left during a request), close, signal, exit. Each has `event`, `time` (monotonic seconds), `pid`; those of a connection
have `connection` (its number). A request has `method`, `path`, `headers` (names in lower case) and `body`.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.modules["ssl"] = None  # type: ignore[assignment]  # no TLS here, and without it asyncio starts 10 ms sooner

import argparse
import asyncio
import os
import signal
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(__file__))))

from tests.fakes import llama_answers as answers
from tests.fakes.llama_exchange import CallerLeft, Exchange, Request, log

MAX_HEAD = 1 << 20
JOURNALED_BODY = 1 << 16  # more of a body than this no test reads


class Server:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()
        self.idle = asyncio.Event()
        self.busy: set[Caller] = set()
        self.opened = 0
        self.probes = 0
        self.weights: list[bytearray] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.journal_fd = -1
        if options.journal:
            self.journal_fd = os.open(options.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, event: str, **more: object) -> None:
        if self.journal_fd >= 0:
            line = answers.dumps({"event": event, "time": time.monotonic(), "pid": os.getpid(), **more})
            os.write(self.journal_fd, line.encode() + b"\n")

    async def serve(self) -> int:
        loop = asyncio.get_running_loop()
        self.note("start", argv=sys.argv[1:], port=self.options.port)
        if self.options.listen_after:
            await asyncio.sleep(self.options.listen_after)
        listener = await loop.create_server(lambda: Caller(self), self.options.host, self.options.port)
        port = listener.sockets[0].getsockname()[1]
        log(f"main: server is listening on http://{self.options.host}:{port} - starting the main loop")
        self.tasks.add(asyncio.create_task(self.load()))
        await self.stopping.wait()
        listener.close()
        while self.busy:
            self.idle.clear()
            await self.idle.wait()
        self.note("exit", code=0)
        return 0

    async def load(self) -> None:
        """Until this is done SIGTERM kills at once, as it does the real one."""
        await self.take_time(self.options.load_seconds)
        if self.options.never_healthy:
            return
        loop = asyncio.get_running_loop()
        if sys.platform != "win32" and not self.options.ignore_sigterm and not self.options.polite:
            loop.add_signal_handler(signal.SIGTERM, self.terminate)
        self.ready.set()
        self.note("ready")
        log("main: model loaded")
        if self.options.die_after is not None:
            await asyncio.sleep(self.options.die_after)
            self.note("exit", code=self.options.exit_code)
            os._exit(self.options.exit_code)

    async def take_time(self, seconds: float) -> None:
        """Silently, or with a line of log every `--load-lines` seconds, or while its memory grows."""
        began = time.monotonic()
        while (left := began + seconds - time.monotonic()) > 0:
            await asyncio.sleep(min(left, self.options.load_lines or left))
            if self.options.load_lines and not self.options.load_megabytes:
                log(f"load_tensors: {seconds - left:.1f} of {seconds}")
            if self.options.load_megabytes:
                self.weights.append(bytearray(os.urandom(1024)) * 1024 * self.options.load_megabytes)

    def terminate(self) -> None:
        self.note("signal", busy=len(self.busy), again=self.stopping.is_set())
        if self.stopping.is_set():
            self.note("exit", code=1)
            os._exit(1)
        self.stopping.set()

    def crash(self) -> None:
        self.note("exit", code=-9)
        os.kill(os.getpid(), signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)


class Caller(asyncio.Protocol):
    """One connection, its requests in order."""

    transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self.server = server
        server.opened += 1
        self.number = server.opened
        self.reader = asyncio.StreamReader(limit=MAX_HEAD)
        self.gone = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.note("open", peer=list(transport.get_extra_info("peername") or ())[:2])
        task = asyncio.create_task(self.converse())
        self.server.tasks.add(task)
        task.add_done_callback(self.server.tasks.discard)

    def data_received(self, data: bytes) -> None:
        self.reader.feed_data(data)

    def eof_received(self) -> bool:
        return False  # a half-close is a close: connection_lost follows

    def connection_lost(self, exc: Exception | None) -> None:
        self.reader.feed_eof()
        self.gone.set()
        self.writable.set()
        self.note("close")

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def note(self, event: str, **more: object) -> None:
        self.server.note(event, connection=self.number, **more)

    async def converse(self) -> None:
        options = self.server.options
        for left in range(options.keep_alive_max - 1, -1, -1):
            try:
                head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), options.keep_alive_seconds)
                request = await self.request(head)
            except (asyncio.IncompleteReadError, TimeoutError):
                break
            self.server.busy.add(self)
            try:
                keep = await Exchange(self, request, last=left == 0).answer()
                self.note("answered")
            except CallerLeft:
                self.note("gone")
                break
            finally:
                self.server.busy.discard(self)
                self.server.idle.set()
            if not keep:
                break
        self.transport.close()

    async def request(self, head: bytes) -> Request:
        lines = head.decode("latin-1").split("\r\n")
        method, target, version = lines[0].split(" ")
        pairs = [line.split(":", 1) for line in lines[1:] if line]
        headers = {name.lower(): value.strip() for name, value in pairs}
        if headers.get("expect") == "100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await self.body(headers)
        request = Request(method, target, version, headers, body)
        shown = body[:JOURNALED_BODY].decode("utf-8", "replace")
        self.note("request", method=method, path=target, headers=headers, body=shown, size=len(body))
        return request

    async def body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await self.reader.readexactly(int(headers.get("content-length", "0")))
        pieces = []
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            pieces.append((await self.reader.readexactly(size + 2))[:-2])
        while await self.reader.readuntil(b"\r\n") != b"\r\n":
            pass
        return b"".join(pieces)

    async def write(self, data: bytes) -> None:
        self.transport.write(data)
        await self.writable.wait()
        if self.gone.is_set():
            raise CallerLeft

    async def pause(self, seconds: float | None) -> None:
        """Wait, but no longer than the caller does."""
        if seconds == 0:
            return
        try:
            await asyncio.wait_for(self.gone.wait(), seconds)
        except TimeoutError:
            return
        raise CallerLeft


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=8080, help="port to listen on; 0 takes a free one and logs it")
    add("-m", "--model", default="", help="accepted and ignored, as a real command line has one")
    for names in (("-c", "--ctx-size"), ("-b", "--batch-size"), ("-ngl", "--n-gpu-layers"), ("-ts", "--tensor-split")):
        add(*names, default="", help="accepted and ignored")
    add("--alias", default="fake", help="the name it goes by, in its answers and in what they say")
    add("--api-key", default="", help="require this key everywhere but on /health")
    add("--journal", default="", help="append one JSON line per event to this file")
    add("--load-seconds", type=float, default=0.0, help="answer 503 for this long")
    add(
        "--load-lines",
        type=float,
        default=0.0,
        help="while it loads, work for so long and write a line, again and again",
    )
    add("--load-megabytes", type=int, default=0, help="each time take so much memory, and with it no line is needed")
    add("--crash-file", default="", help="while this file exists, exit with --exit-code at the start")
    add("--flap-health", action="store_true", help="once ready, answer every second health probe with 503")
    add("--listen-after", type=float, default=0.0, help="do not even listen for this long")
    add("--token-interval", type=float, default=0.0, help="seconds between two events of a stream")
    add("--first-seconds", type=float, default=0.0, help="seconds before an answer's first byte")
    add("--keep-alive-seconds", type=float, default=5.0, help="close a connection idle for this long")
    add("--keep-alive-max", type=int, default=100, help="close a connection after this many requests")
    add("--never-healthy", action="store_true", help="answer 503 for ever")
    add("--hang-health", action="store_true", help="accept health probes and never answer them")
    add("--polite", action="store_true", help="die of SIGTERM at once, whoever is connected")
    add("--ignore-sigterm", action="store_true", help="do nothing on SIGTERM")
    add("--grandchild", action="store_true", help="start a process in a session of its own, which stays")
    add("--exit", dest="exit_at_once", action="store_true", help="write --stderr lines and exit with --exit-code")
    add("--exit-code", type=int, default=1, help="the code of --exit and --die-after")
    add("--die-after", type=float, default=None, help="exit with --exit-code this many seconds after being ready")
    add("--stderr", action="append", default=[], help="a line for stderr at the start; may be repeated")
    add("--spew", type=int, default=0, help="write this many log lines at the start, half of them to stdout")
    return parser


def spew(lines: int) -> None:
    for number in range(lines):
        print(f"line {number} of a chatty server", file=sys.stderr if number % 2 else sys.stdout, flush=True)


def start_grandchild() -> int:
    import subprocess

    waiting = "import signal; signal.pause()" if sys.platform != "win32" else "input()"
    return subprocess.Popen([sys.executable, "-c", waiting], start_new_session=True).pid


def main() -> int:
    options = arguments().parse_args()
    for line in options.stderr:
        log(line)
    spew(options.spew)
    if options.exit_at_once or (options.crash_file and os.path.exists(options.crash_file)):
        return int(options.exit_code)
    return asyncio.run(live(options))


async def live(options: argparse.Namespace) -> int:
    server = Server(options)
    if sys.platform != "win32" and options.ignore_sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if options.grandchild:
        server.note("grandchild", grandchild=start_grandchild())
    return await server.serve()


if __name__ == "__main__":
    sys.exit(main())
