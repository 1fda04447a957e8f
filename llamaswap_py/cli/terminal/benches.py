"""What `llamaswap bench` was asked for, as values: plan, files, servers; and its progress on a terminal."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

import aiohttp
from msgspec.structs import replace

from llamaswap_py.bench.targets import LOOPBACK, ROOM, File, Remote, Unusable, measure_file, measure_remote
from llamaswap_py.bench.values import Plan, Result
from llamaswap_py.cli.terminal import client, ggufs
from llamaswap_py.cli.terminal.flags import Words
from llamaswap_py.config.command import argv
from llamaswap_py.daemon.builtin import llama_server
from llamaswap_py.gguf.facts import facts


class Wrong(Exception):
    """What was asked for makes no sense; the sentence says why."""


def numbers(words: Words, name: str, usual: tuple[int, ...]) -> tuple[int, ...]:
    text = words.value(name)
    if text is None:
        return usual
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 0 < int(part) <= 10_000_000 for part in parts):
        raise Wrong(f"--{name} takes whole numbers above 0 with commas between them, not '{text}'.")
    return tuple(sorted({int(part) for part in parts}))


def plan_of(words: Words) -> Plan:
    usual = Plan()
    quick = "quick" in words.switches
    return Plan(
        prompts=numbers(words, "prompt", (128, 512) if quick else usual.prompts),
        callers=numbers(words, "concurrency", (1,) if quick else usual.callers),
        tokens=numbers(words, "tokens", (32 if quick else usual.tokens,))[-1],
        repeats=numbers(words, "repeat", (1 if quick else usual.repeats,))[-1],
        loads="no-load" not in words.switches,
    )


def files_of(words: Words) -> list[tuple[File, int]]:
    """Each with the context that it was trained for; 0: not said."""
    engine = argv(llama_server(os.environ).command)
    flags = argv(words.value("flags") or "")
    found: list[tuple[File, int]] = []
    for path in map(Path, words.every("gguf")):
        files = ggufs.files_of(path)
        about = facts(ggufs.read(files[0]))
        name = files[0].stem
        if any(each.name == name for each, _ in found):
            name = f"{name} ({len(found) + 1})"
        found.append((File(name, about.quantisation, engine, files, flags), about.context_length))
    return found


def fitting(plan: Plan, context: int) -> Plan:
    """Without prompts that the model has no room for."""
    room = context - plan.tokens - ROOM if context else max(plan.prompts)
    prompts = tuple(prompt for prompt in plan.prompts if prompt <= room)
    if not prompts:
        raise Wrong(
            f"The model has a context of {context} tokens: no prompt of {min(plan.prompts)} fits beside its answer."
        )
    return replace(plan, prompts=prompts)


class Progress:
    """One line that is written over on a terminal; a line for each step elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.subject = ""

    def say(self, what: str, done: int, of: int) -> None:
        text = f"{self.subject}: {what}" + (f" ({done} of {of} done)" if of > 1 else "")
        if self.stream.isatty():
            self.stream.write(f"\r\033[K{text[:100]}")
        else:
            self.stream.write(f"{text}\n")
        self.stream.flush()

    def close(self) -> None:
        if self.stream.isatty():
            self.stream.write("\r\033[K")
            self.stream.flush()


async def measured(words: Words, models: Sequence[str], plan: Plan, progress: Progress) -> list[Result]:
    files = files_of(words)
    # A certificate for a name says nothing of the loopback, which nobody else is on.
    here = urlsplit(client.server(words).url).hostname in LOOPBACK
    connector = aiohttp.TCPConnector(limit=0, force_close=True, ssl=not here)
    async with aiohttp.ClientSession(connector=connector) as session:
        found = []
        for file, context in files:
            progress.subject = file.name
            found.append(await measure_file(session, file, fitting(plan, context), progress.say))
        for model in await named(session, words, models, bool(files)):
            progress.subject = model
            found.append(await measure_remote(remote(session, words), model, plan, progress.say))
        return found


def remote(session: aiohttp.ClientSession, words: Words) -> Remote:
    server = client.server(words)
    return Remote(session, server.url.removesuffix("/v1"), server.key)


async def named(session: aiohttp.ClientSession, words: Words, models: Sequence[str], has_files: bool) -> Sequence[str]:
    """Where nobody says which, the only one there is."""
    if models or has_files:
        return models
    there = await remote(session, words).models()
    if len(there) != 1:
        listed = ", ".join(there[:20]) or "none"
        raise Wrong(f"Name the models to measure, or a file with --gguf. There are: {listed}.")
    return there


def machine() -> str:
    """What else goes on is a part of it: a busy machine explains low figures."""
    busy = f", work for {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors{busy}"


def run(words: Words, models: Sequence[str], plan: Plan) -> list[Result]:
    progress = Progress(sys.stderr)
    try:
        return asyncio.run(measured(words, models, plan, progress))
    except Unusable as trouble:
        raise Wrong(str(trouble)) from trouble
    finally:
        progress.close()
