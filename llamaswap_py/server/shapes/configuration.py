"""What is said of the configuration and its profiles."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Mistake(TypedDict):
    file: str
    line: int
    column: int
    key: str
    message: str
    remedy: str


class Verdict(TypedDict):
    """`POST /api/config/check`, and the beginning of `diff`."""

    accepted: bool
    mistakes: list[Mistake]
    warnings: list[Mistake]
    disabled: dict[str, list[Mistake]]


class Diff(Verdict):
    """`POST /api/config/diff`; what would change is told where the text is accepted."""

    added: NotRequired[list[str]]
    removed: NotRequired[list[str]]
    restarted: NotRequired[dict[str, list[str]]]
    retuned: NotRequired[dict[str, list[str]]]
    settings: NotRequired[list[str]]


class ConfigNews(TypedDict):
    state: Literal["loaded", "refused"]
    mistakes: list[str]


class Profile(TypedDict):
    id: str
    description: str
    pins: dict[str, str]


class Profiles(TypedDict):
    """`GET /api/profiles`."""

    active: str | None
    profiles: list[Profile]


class ProfileNews(TypedDict):
    active: str | None
