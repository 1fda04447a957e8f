"""What is said of the configuration and its profiles."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


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


class ConfigFile(TypedDict):
    """One of the files; `tag` changes with every byte of it, `changed` is in unix seconds."""

    file: str
    name: str
    size: int
    tag: str
    changed: float
    writable: bool


class ConfigFiles(TypedDict):
    """`GET /api/config/files`. `folder`: new files may be made there; `create`: the one that may be made."""

    files: list[ConfigFile]
    folder: str | None
    create: str | None


class ConfigText(TypedDict):
    """`GET /api/config/text`."""

    file: str
    text: str
    tag: str
    exists: bool
    changed: float | None
    writable: bool


class Reloaded(TypedDict):
    state: Literal["loaded", "unchanged", "refused", "failed", "underway"]
    mistakes: list[str]


class Saved(Diff):
    """`PUT /api/config/text`, and a version taken again."""

    file: str
    tag: str
    atomic: bool
    reload: Reloaded


class Changes(TypedDict):
    added: list[str]
    removed: list[str]
    restarted: dict[str, list[str]]
    retuned: dict[str, list[str]]
    settings: list[str]


class ConfigVersion(TypedDict):
    """An earlier text of a file; `restored` is the version that it was taken from."""

    id: str
    file: str
    name: str
    at: float
    by: Literal["start", "edit", "page", "restore"]
    tag: str
    size: int
    changes: Changes | None
    restored: str


class ConfigVersionText(ConfigVersion):
    """`GET /api/config/history/{id}`."""

    text: str


class ConfigHistory(TypedDict):
    """`GET /api/config/history`, newest first."""

    versions: list[ConfigVersion]


class ConfigCandidate(TypedDict):
    """A model file that could be written into the configuration; `keys` as they would be written."""

    id: str
    file: str
    name: str
    size: int
    architecture: str
    quantisation: str
    purpose: str
    context: int
    trained_context: int
    served: str | None
    keys: dict[str, Any]


class ConfigLeftOut(TypedDict):
    file: str
    why: str
    later: bool


class ConfigCandidates(TypedDict):
    """`GET /api/config/candidates`."""

    models: list[ConfigCandidate]
    left_out: list[ConfigLeftOut]


class ConfigAdded(Diff):
    """`POST /api/config/add`: the text with one more model, and where it stands in it."""

    file: str
    text: str
    line: int
    count: int


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
