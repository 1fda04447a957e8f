"""The HTTP face: the whole route table as one application, and its life on the listening sockets."""

from __future__ import annotations

import asyncio
import logging
import pkgutil
import socket
import ssl
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from typing import Any
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError

from llamaswap_py import dialects
from llamaswap_py.config.values import Limits
from llamaswap_py.dialects.dialect import Dialect
from llamaswap_py.runtime.logs import Logs
from llamaswap_py.server.comfyui import Comfyui
from llamaswap_py.server.control import Control
from llamaswap_py.server.doors import Door, hang, straight
from llamaswap_py.server.entrance import KEEP_ALIVE_SECONDS, Entrance
from llamaswap_py.server.guard import Guard
from llamaswap_py.server.health import Health
from llamaswap_py.server.identity import MODEL, id_of
from llamaswap_py.server.listen import BACKLOG
from llamaswap_py.server.lists import Lists
from llamaswap_py.server.logs import LogDoors
from llamaswap_py.server.proxy import Proxy
from llamaswap_py.server.records import Records
from llamaswap_py.server.upstream import Upstream

# What a caller still sends of a body that was refused is read so long: who is cut off while sending misses the answer.
LINGER_SECONDS = 3.0
# Over TLS a connection that is closed is cut after so long, whatever of an answer is still unread.
CLOSE_SECONDS = 60.0

# Of the address and of one field. A browser's cookies and the tokens of a sign-on pass the library's own 8 KiB.
LONGEST_LINE = 64 * 1024

UNLOGGED = ("/wol-health", "/api/performance", "/metrics")
# What a page asks again and again: its own questions must not fill the log that it shows.
QUIET = ("/ui", "/running", "/api/events", "/api/metrics", "/logs", "/favicon.ico")

log = structlog.get_logger("access")


def found_dialects() -> list[Dialect]:
    """Every file of the folder that exports a DIALECT: a new API is a new file, nothing else."""
    names = sorted(module.name for module in pkgutil.iter_modules(dialects.__path__))
    modules = [import_module(f"{dialects.__name__}.{name}") for name in names]
    return [module.DIALECT for module in modules if hasattr(module, "DIALECT")]


def apis() -> dict[str, str]:
    """The dialect of each path that a model's server is asked at."""
    return {route.upstream or route.path: each.name for each in found_dialects() for route in each.routes}


def doors(proxy: Proxy, logs: Logs, more: Iterable[Door] = (), health: Health | None = None) -> list[Door]:
    conductor = proxy.conductor
    spoken = found_dialects()
    routes = {(route.method, route.path): dialect for dialect in spoken for route in dialect.routes}
    upstream = Upstream(proxy, routes)
    return [
        *(door for dialect in spoken for door in proxy.doors(dialect)),
        *upstream.doors(),
        *Comfyui(upstream).doors(),
        *Lists(conductor, proxy.choosing).doors(),
        *Control(conductor).doors(),
        *LogDoors(conductor, logs).doors(),
        *Records(proxy.recordings).doors(),
        *(health or Health(conductor, proxy.recordings.recorder)).doors(),
        *more,
    ]


Facts = Mapping[str, str | int | float]
# `say(method, message, request, facts)`: the level by its name, the line, the request's id, what the line is made of.
Say = Callable[[str, str, str, Callable[[], Facts]], None]


def say_by_log(method: str, message: str, request: str, facts: Callable[[], Facts]) -> None:
    getattr(log, method)(message, request=request)


class Access:
    """What every connection's AccessLine writes to. Another `say` may come with another configuration."""

    def __init__(self, say: Say) -> None:
        self.say = say


class AccessLine(AbstractAccessLogger):
    """One line a finished request, in llama-swap's form."""

    logger: Any  # the Access that a connection was made with

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        path, status, headers = request.path, response.status, request.headers
        method = method_for(path)
        if not method:
            return
        forwarded = headers.get("X-Forwarded-For")
        first = forwarded.partition(",")[0].strip() if forwarded else ""
        address = first or headers.get("X-Real-IP") or request.remote or ""
        version, agent = request.version, headers.get("User-Agent", "")
        line = (
            f'Request {address} "{request.method} {path} HTTP/{version.major}.{version.minor}" {status}'
            f' {response.body_length} "{agent}" {duration(time)}'
        )

        facts = partial(facts_of, request, response, address, time)
        self.logger.say(method if status < 400 else "info", shown(line), id_of(request), facts)


def facts_of(request: web.BaseRequest, response: web.StreamResponse, address: str, seconds: float) -> Facts:
    """What such a line is made of."""
    model = request.get(MODEL)
    return {
        **({"model": model} if model else {}),
        "address": address,
        "method": request.method,
        "path": request.path,
        "status": response.status,
        "bytes": response.body_length,
        "seconds": round(seconds, 6),
        "agent": request.headers.get("User-Agent", ""),
    }


@lru_cache(256)  # a few are asked again and again
def method_for(path: str) -> str:
    """The level at which a request there is told of; empty: it is not."""
    if path.startswith(UNLOGGED):
        return ""
    return "debug" if path.startswith(QUIET) else "info"


def duration(seconds: float) -> str:
    return f"{seconds * 1000:.3f}ms" if seconds < 1 else f"{seconds:.3f}s"


def shown(line: str) -> str:
    """Decoded, as llama-swap writes it, but a line stays one line and a terminal gets no orders."""
    return line if line.isprintable() else "".join(c if c.isprintable() else quote(c, errors="replace") for c in line)


class Faults(logging.Logger):
    """What the HTTP library complains of, in our log: a line where the caller wrote no HTTP or left, else all of it."""

    def exception(self, msg: object, *args: object, exc_info: Any = True, **more: Any) -> None:
        said = str(msg) % args
        if isinstance(exc_info, HttpProcessingError):
            reason, _, _ = exc_info.message.partition("\n")  # what follows quotes the caller
            log.info(f"{said}: {shown(reason.rstrip(': '))}")
        elif isinstance(exc_info, ConnectionError):
            log.debug(f"{said}: the caller has left")
        else:
            log.error(said, exc_info=exc_info)


class Face:
    """`room`: how many connections there may be at once where the configuration does not say."""

    def __init__(
        self,
        table: Sequence[Door],
        guard: Callable[[], Guard],
        keep_alive: float = KEEP_ALIVE_SECONDS,
        limits: Callable[[], Limits] = Limits,
        room: int = sys.maxsize,
        *,
        say: Say = say_by_log,
    ) -> None:
        app = web.Application()
        self.straight = hang(app, table, guard)
        self.limits = limits
        self.room = room
        self.access = Access(say)
        self.how: dict[str, Any] = {
            "access_log_class": AccessLine,
            "access_log": self.access,
            "logger": Faults("faults"),
            "max_line_size": LONGEST_LINE,
            "max_field_size": LONGEST_LINE,
            "auto_decompress": False,
            "keepalive_timeout": keep_alive,
            "lingering_time": LINGER_SECONDS,
        }
        self.runner = web.AppRunner(
            app,
            handle_signals=False,
            handler_cancellation=True,
            shutdown_timeout=0.1,  # whoever may finish has finished by then
            **self.how,
        )
        self.listening: list[asyncio.Server] = []
        self.entrance: Entrance | None = None

    async def open(self, sockets: Sequence[socket.socket], tls: ssl.SSLContext | None = None) -> None:
        await self.runner.setup()
        server = self.runner.server
        assert server is not None
        server.request_handler = straight(self.straight, server.request_handler)
        self.entrance = entrance = Entrance(server, self.how, self.limits, self.most, swift=self.straight)
        loop = asyncio.get_running_loop()
        patience = None if tls is None else max(CLOSE_SECONDS, self.limits().reader_stall)
        for opened in sockets:
            # Connections have them from the socket they came by: asked for each of them, they would cost a call each.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.listening.append(
                await loop.create_server(entrance, sock=opened, ssl=tls, backlog=BACKLOG, ssl_shutdown_timeout=patience)
            )

    def most(self) -> int:
        return self.limits().connections or self.room

    def stop_listening(self) -> None:
        for server in self.listening:
            server.close()
        self.listening.clear()

    async def hear_out(self) -> None:
        """Whoever was let in last, and may not have been heard yet."""
        if self.entrance is not None:
            await self.entrance.hear_out()

    async def close(self) -> None:
        await self.runner.cleanup()
