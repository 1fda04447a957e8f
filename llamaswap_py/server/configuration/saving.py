"""A text is written into a file of the configuration, if it would be accepted and replaces what its writer has seen;
the ordinary reload takes it up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from aiohttp import hdrs, web
from msgspec import structs

from llamaswap_py.config.preview import Told, changes, disabling
from llamaswap_py.config.read import Reading
from llamaswap_py.config.values import Config
from llamaswap_py.config.versions import tag_of
from llamaswap_py.dialects import openai
from llamaswap_py.errors import ChangedMeanwhile, ConfigError, ConfigRefused, NotConditional
from llamaswap_py.server.bodies import read_body
from llamaswap_py.server.configuration import disk
from llamaswap_py.server.configuration.kept import Versions
from llamaswap_py.server.configuration.trying import Trying, text_of
from llamaswap_py.server.doors import Door, Kind
from llamaswap_py.server.identity import id_of

# A reload that looks at network folders may take long; then the answer says so, and the event tells the rest.
RELOAD_SECONDS = 20.0

NEW = ""  # the tag of a file that is not there
TRUE = ("1", "true", "yes")


class Taken(msgspec.Struct, frozen=True):
    """What came of a reload."""

    state: str  # loaded, unchanged, refused, failed, underway
    mistakes: tuple[str, ...] = ()


class Wanted(msgspec.Struct, frozen=True):
    """One save. `seen`: the tags of what may be overwritten."""

    path: Path
    raw: bytes
    seen: frozenset[str]
    may_disable: bool = False  # models that are wrong within it are no reason against it
    by: str = "page"
    restored: str = ""


class Unacceptable(ConfigRefused):
    """With the verdict."""

    def __init__(self, message: str, told: Told) -> None:
        super().__init__(message)
        self.told = told


async def nothing_reloads() -> Taken:
    return Taken("failed")


class Saving:
    """`reload` is given by the program. Anybody in the house may `save`: the checks are the same for all."""

    def __init__(self, trying: Trying, versions: Versions) -> None:
        self.trying = trying
        self.versions = versions
        self.reload: Callable[[], Awaitable[Taken]] = nothing_reloads
        self.one_at_a_time = asyncio.Lock()

    def doors(self) -> list[Door]:
        return [Door("PUT", "/api/config/text", Kind.CONTROL, self.put)]

    async def put(self, request: web.Request) -> web.Response:
        raw = await read_body(request, self.trying.conductor.config.max_body_bytes)
        path = await self.place(request.query.get("file", ""))
        return await self.answer(request, Wanted(path, raw, seen(request), may_disable(request)))

    async def place(self, name: str) -> Path:
        """Of the file that is meant: the first, where none is named, or the one that could be made."""
        path = self.trying.named(name)
        return path if path is not None else await asyncio.to_thread(self.first)

    def first(self) -> Path:
        files = self.trying.files
        return next(iter(files.paths()), Path(files.proposed().path))

    async def answer(self, request: web.Request, wanted: Wanted) -> web.Response:
        try:
            told = await self.save(wanted)
        except Unacceptable as refusal:
            refused = openai.refuse(refusal, id_of(request))
            body = refusal.told | msgspec.json.decode(refused.body)
            return web.json_response(body, status=refused.status)
        return web.json_response(told, headers={hdrs.ETAG: f'"{told["tag"]}"'})

    async def save(self, wanted: Wanted) -> Told:
        """Raises Unacceptable, ChangedMeanwhile, NotWritable, StorageFull; then nothing was changed."""
        async with self.one_at_a_time:
            text = text_of(wanted.raw)
            await asyncio.to_thread(check_unchanged, wanted)
            outcome = await self.trying.outcome(text, wanted.path)
            told = self.trying.told(text, outcome)
            self.check(outcome, told, wanted)
            before = self.trying.conductor.config
            self.versions.expect(str(wanted.path), wanted.raw, wanted.by, wanted.restored)
            in_one_go = await asyncio.to_thread(write, wanted)
            self.trying.files.adopt(wanted.path)
            taken = in_all(await self.taken_up(), before, self.trying.conductor.config)
            told |= await asyncio.to_thread(changes, before, self.trying.conductor.config)
        reload = {"state": taken.state, "mistakes": list(taken.mistakes)}
        return {"file": str(wanted.path), "tag": tag_of(wanted.raw), "atomic": in_one_go, "reload": reload, **told}

    def check(self, outcome: Reading | ConfigError, told: Told, wanted: Wanted) -> None:
        if isinstance(outcome, ConfigError):
            raise Unacceptable(f"it was not saved: {counted(len(outcome.mistakes))}, see `mistakes`", told)
        wrong = disabling(self.trying.conductor.disabled, outcome)
        if wrong and not wanted.may_disable:
            raise Unacceptable(
                "it was not saved: models are wrong within it, see `disabled`, and a start with it would be refused;"
                " correct them, or save it with ?disabling=true",
                told,
            )

    async def taken_up(self) -> Taken:
        """What came of the reload, and its version is kept."""
        try:
            async with asyncio.timeout(RELOAD_SECONDS):
                taken = await self.reload()
                await self.versions.settled()
        except TimeoutError:
            return Taken("underway")
        return taken


def in_all(taken: Taken, before: Config, now: Config) -> Taken:
    """Who watches the files may be quicker than the reload that is ordered, which then finds nothing new."""
    return structs.replace(taken, state="loaded") if taken.state == "unchanged" and now is not before else taken


def counted(mistakes: int) -> str:
    return "there is a mistake" if mistakes == 1 else f"there are {mistakes} mistakes"


def seen(request: web.Request) -> frozenset[str]:
    """The tags that the caller knows of. Raises NotConditional."""
    if request.headers.get(hdrs.IF_NONE_MATCH, "").strip() == "*":
        return frozenset({NEW})
    named = request.headers.get(hdrs.IF_MATCH, "")
    tags = frozenset(each.strip().removeprefix("W/").strip('"') for each in named.split(",")) - {NEW}
    if not tags:
        raise NotConditional(
            "say what is to be overwritten: If-Match with the ETag of GET /api/config/text, or If-None-Match: * for a"
            " new file"
        )
    return tags


def may_disable(request: web.Request) -> bool:
    return request.query.get("disabling", "") in TRUE


def check_unchanged(wanted: Wanted) -> None:
    """Blocks."""
    content = disk.read(wanted.path)
    tag = content.tag if content is not None else NEW
    if tag in wanted.seen:
        return
    if content is None:
        raise ChangedMeanwhile(f"{wanted.path} is not there any more; read the files again")
    if wanted.seen == {NEW}:
        raise ChangedMeanwhile(f"{wanted.path} is there already; read it before you change it")
    raise ChangedMeanwhile(f"{wanted.path} was changed by somebody else since it was read; read it again")


def write(wanted: Wanted) -> bool:
    """Blocks. Once more whether it is unchanged, as near to the writing as can be."""
    check_unchanged(wanted)
    return disk.write(wanted.path, wanted.raw)
