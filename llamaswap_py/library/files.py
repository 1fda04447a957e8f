"""What is found on the shelves, and what it comes to, as frozen values. Nothing here reads or decides."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from llamaswap_py.gguf.facts import Facts


class File(msgspec.Struct, frozen=True):
    """One name under which a model's file stands on a shelf."""

    path: str
    size: int
    changed: float  # when, in seconds since 1970
    identity: tuple[int, int]  # device and inode: two links to one file have the same
    folder: tuple[str, ...]  # where it stands, the shelf first; what has the same stands beside it
    shelf: str  # for people
    is_link: bool = False
    given: str = ""  # the model's name, where the shelf has names of its own
    expected: int = 0  # bytes, where the shelf says so; 0 = ask the header


class LeftOut(msgspec.Struct, frozen=True):
    """Something that looks like a model and is not served."""

    path: str
    why: str  # one clause, without an end
    later: bool = False  # it may be complete in a moment
    harmless: bool = False  # nobody would miss it

    def __str__(self) -> str:
        """For people: a path may hold line breaks, and bytes that are no text."""
        shown = "".join(letter if letter.isprintable() else "?" for letter in self.path)
        return f"{shown} is not served: {self.why}"


class Listing(msgspec.Struct, frozen=True):
    """What stands on all shelves at one moment."""

    files: tuple[File, ...] = ()
    notes: tuple[LeftOut, ...] = ()  # what could not even be looked at
    unseen: tuple[str, ...] = ()  # folders that could not be read: what was known of them still holds
    folders: tuple[str, ...] = ()  # every folder that was read


class Card(msgspec.Struct, frozen=True):
    """What a file's header says, as far as serving it goes."""

    facts: Facts
    length: int  # bytes that the file must have; 0 where it cannot be told
    context: int  # tokens to serve it with; 0 = the engine's choice
    calls_tools: bool = False
    senses: tuple[str, ...] = ()  # of a projector: image, audio


class Trouble(StrEnum):
    TRUNCATED = "truncated"
    FOREIGN = "foreign"
    BROKEN = "broken"
    UNREADABLE = "unreadable"


class Illegible(msgspec.Struct, frozen=True):
    """Why there is no card of a file."""

    trouble: Trouble
    message: str


Cards = Mapping[str, Card | Illegible]  # by path


class Found(msgspec.Struct, frozen=True):
    """A model that can be served."""

    id: str
    path: str  # of its first file
    card: Card
    size: int  # bytes of all its files
    shelf: str
    aliases: tuple[str, ...] = ()
    projector: str = ""  # paths; empty = none
    adapter: str = ""
    senses: tuple[str, ...] = ()


class Discovery(msgspec.Struct, frozen=True):
    models: tuple[Found, ...] = ()  # in the order of their ids
    left_out: tuple[LeftOut, ...] = ()
    ids: Mapping[str, str] = msgspec.field(default_factory=dict)  # path -> id: what has one keeps it

    @property
    def unfinished(self) -> bool:
        return any(each.later for each in self.left_out)
