"""What can be measured: a model of our server, any OpenAI-compatible server, or a bare GGUF file."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from msgspec.structs import replace

from llamaswap_py.bench.asking import Asker, complaint
from llamaswap_py.bench.measuring import Say, measure
from llamaswap_py.bench.memory import Peak, forget
from llamaswap_py.bench.values import Plan, Result
from llamaswap_py.config.command import argv

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOADING_SECONDS = 1800.0  # at most
PROBE_SECONDS = 0.01
ROOM = 128  # tokens of a context that the chat's own marks take


class Unusable(Exception):
    """Nothing can be measured; the sentence says why."""


class Unreachable(Unusable):
    """Nobody answers at all."""


# ------------------------------------------------------------- a server


class Remote(msgspec.Struct, frozen=True):
    session: aiohttp.ClientSession
    base: str
    key: str = ""

    async def ask(self, method: str, path: str) -> Any:
        """The answer, or Unusable."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        limit = aiohttp.ClientTimeout(total=LOADING_SECONDS)
        try:
            async with self.session.request(method, self.base + path, headers=headers, timeout=limit) as answer:
                if answer.status >= 400:
                    raise Unusable(f"{self.base} answered {answer.status}: {complaint(await answer.text())}")
                return await answer.json(content_type=None)
        except aiohttp.ClientConnectorError as error:
            why = error.os_error.strerror or error.os_error
            raise Unreachable(f"no server at {self.base} ({why}): start it, or name another by --url") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unusable(f"{self.base} cannot be asked: {error}") from error
        except ValueError:
            return None  # a word such as OK

    async def models(self) -> list[str]:
        told = await self.ask("GET", "/v1/models")
        rows = told.get("data") if isinstance(told, dict) else None
        return [str(row["id"]) for row in rows or () if isinstance(row, dict) and "id" in row]

    async def is_ours(self) -> bool:
        try:
            told = await self.ask("GET", "/running")
        except Unreachable:
            raise
        except Unusable:
            return False
        return isinstance(told, dict) and "running" in told

    async def row(self, model: str) -> dict[str, Any]:
        """What our server says of a model that runs."""
        told = await self.ask("GET", "/running")
        return next((row for row in told["running"] if row["model"] == model), {})


async def measure_remote(remote: Remote, model: str, plan: Plan, say: Say) -> Result:
    """Of a server that is not ours only what its answers tell."""
    place = f"{remote.base} {model}"
    found = Result(model, place)
    try:
        ours = await remote.is_ours()
        if ours and plan.loads:
            found = await loads(remote, model, found, say)
        if ours and not plan.loads:
            await remote.ask("POST", f"/api/models/load/{quote(model, safe='/')}")
        row = await remote.row(model) if ours else {}
        local = urlsplit(remote.base).hostname in LOOPBACK
        with Peak(row.get("pid") if local else None) as peak:
            cells, trouble = await measure(Asker(remote.session, remote.base, model, remote.key), plan, say)
        found = replace(found, cells=cells, trouble=trouble, memory=peak.most)
        return await taken(remote, model, found) if ours else found
    except Unusable as error:
        return replace(found, trouble=str(error))


async def loads(remote: Remote, model: str, found: Result, say: Say) -> Result:
    """Cold only where its file is here and the system can be told to forget it."""
    name = quote(model, safe="/")
    await remote.ask("POST", f"/api/models/load/{name}")
    file = file_of((await remote.row(model)).get("cmd", ""))
    times = []
    for kind in ("cold", "warm"):
        say(f"{kind} load", 0, 1)
        await remote.ask("POST", f"/api/models/unload/{name}")
        forgotten = kind == "cold" and file is not None and forget([file])
        began = time.perf_counter()
        await remote.ask("POST", f"/api/models/load/{name}")
        times.append(time.perf_counter() - began if forgotten or kind == "warm" else None)
    size = file.stat().st_size if file is not None else 0
    return replace(found, cold=times[0], warm=times[1], size=size)


async def taken(remote: Remote, model: str, found: Result) -> Result:
    """What only our server knows: memory of a machine elsewhere, and of its GPUs."""
    told = (await remote.ask("GET", "/api/processes"))["models"].get(model) or {}
    return replace(found, memory=found.memory or told.get("memory_bytes"), gpu_memory=told.get("gpu_memory_bytes"))


def file_of(command: str) -> Path | None:
    """The model file that a command names."""
    words = argv(command)
    for flag, value in pairwise(words):
        if flag in ("-m", "--model") and Path(value).is_file():
            return Path(value)
    return None


# ------------------------------------------------------------- a file


class File(msgspec.Struct, frozen=True):
    """`command` starts a llama-server; `files` are all parts of the model, the first the one to name."""

    name: str
    about: str
    command: Sequence[str]
    files: Sequence[Path]
    flags: Sequence[str] = ()


async def measure_file(session: aiohttp.ClientSession, file: File, plan: Plan, say: Say) -> Result:
    size = sum(each.stat().st_size for each in file.files)
    found = Result(file.name, str(file.files[0]), file.about, size)
    try:
        if plan.loads and forget(file.files):
            say("cold load", 0, 1)
            async with serving(session, file, plan) as served:
                found = replace(found, cold=served.seconds)
        say("warm load", 0, 1)
        async with serving(session, file, plan) as served:
            with Peak(served.pid) as peak:
                cells, trouble = await measure(Asker(session, served.base, file.name), plan, say)
        return replace(found, warm=served.seconds, cells=cells, trouble=trouble, memory=peak.most)
    except Unusable as error:
        return replace(found, trouble=str(error))


class Served(msgspec.Struct, frozen=True):
    base: str
    pid: int
    seconds: float  # until it was ready


@asynccontextmanager
async def serving(session: aiohttp.ClientSession, file: File, plan: Plan) -> AsyncIterator[Served]:
    """A server of its own on a free port, ended with the block."""
    port = free_port()
    most = max(plan.callers)
    context = most * (max(plan.prompts) + plan.tokens + ROOM)
    words = [*file.command, "-m", str(file.files[0]), "--host", "127.0.0.1", "--port", str(port)]
    words += ["--parallel", str(most), "--ctx-size", str(context), *file.flags]
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        base = f"http://127.0.0.1:{port}"
        await ready(session, base, process)
        yield Served(base, process.pid, time.perf_counter() - began)
    finally:
        if process.returncode is None:
            process.kill()  # it holds nothing that must be kept
        await process.wait()


async def ready(session: aiohttp.ClientSession, base: str, process: asyncio.subprocess.Process) -> None:
    deadline = time.monotonic() + LOADING_SECONDS
    while process.returncode is None and time.monotonic() < deadline:
        if await is_healthy(session, base):
            return
        await asyncio.sleep(PROBE_SECONDS)
    end = (
        "was not ready in time"
        if process.returncode is None
        else f"ended with {process.returncode} before it was ready"
    )
    raise Unusable(f"the engine {end}: llamaswap engine -m FILE says why")


async def is_healthy(session: aiohttp.ClientSession, base: str) -> bool:
    limit = aiohttp.ClientTimeout(total=5)
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with session.get(f"{base}/health", timeout=limit) as answer:
            return answer.status == 200
    return False


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
