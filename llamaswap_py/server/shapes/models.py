"""What is said of models."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

State = Literal[
    "stopped", "starting", "ready", "stopping", "failed", "gave-up", "disabled", "leaked", "remote"
]  # remote: a peer's, of which nothing is known


class Loading(TypedDict):
    """How far a load is; null until an earlier load of the same command tells."""

    seconds: float
    percent: int | None
    left: float | None


class Waiting(TypedDict):
    """One caller who waits for a model. `since`: unix seconds; position 0: its model is starting."""

    position: int
    caller: str
    since: float


class Candidate(TypedDict):
    model: str
    state: str
    seated: int
    waiting: int
    unused: float
    pinned: bool


class Decision(TypedDict):
    """Why one had to go."""

    wanted: str
    caller: str
    waiting: int
    waited: float
    rule: str
    chosen: list[str]
    candidates: list[Candidate]


class Evicted(Decision):
    at: float


class Standing(TypedDict):
    """One model as it stands. Times are unix seconds, sizes are bytes; 0 and "" where nothing is known."""

    id: str
    name: str
    description: str
    aliases: list[str]
    unlisted: bool
    peer: str
    found: bool  # on disk: nobody wrote it down
    capabilities: dict[str, bool]
    state: State
    since: float | None  # in this state; null: since the start of the program
    why: str
    last_output: list[str]
    retry_at: float | None
    ordered: bool  # a load was ordered and is still to come
    loading: Loading | None
    pid: int | None
    leaked: list[int]
    address: str
    memory: int
    context: int
    trained_context: int
    architecture: str
    quantisation: str
    parameters: int
    size: int
    speed: float | None  # tokens a second: the median of the last answers
    ttl: float
    idle_at: float | None  # when it is stopped for idleness, if nobody comes
    seated: int
    seats: int | None
    waiting: list[Waiting]
    pinned: bool
    evicted: Evicted | None
    group: str
    makes_room: list[str]  # what is up now and would have to go for it


class Standings(TypedDict):
    """`whole`: all of them, and no others are there; else those that changed, and those that are gone."""

    whole: bool
    rows: list[Standing]
    gone: list[str]


class Group(TypedDict):
    id: str
    members: list[str]
    swap: bool
    exclusive: bool
    persistent: bool


class MatrixSet(TypedDict):
    name: str
    expression: str


class Rules(TypedDict):
    """Who may be up beside whom, as it is written."""

    kind: Literal["groups", "matrix"]
    groups: list[Group]
    sets: list[MatrixSet]
    names: dict[str, str]  # of the expressions: short name to model


class ModelStatus(TypedDict):
    """llama-swap's row."""

    id: str
    name: str
    description: str
    state: str
    unlisted: bool
    peerID: str
    aliases: NotRequired[list[str]]
    capabilities: NotRequired[dict[str, bool]]
    context_length: NotRequired[int]


class LoadNews(Loading):
    model: str
    run: int


class Swap(TypedDict):
    """A step of a model's life."""

    model: str
    run: int
    state: str
    why: str
    seconds: float


class RunningRow(TypedDict):
    model: str
    state: State
    cmd: str
    proxy: str
    ttl: float
    name: str
    description: str
    pid: int | None
    seated: int
    waiting: int
    pinned: NotRequired[bool]
    loading: NotRequired[Loading]
    why: NotRequired[str]
    leaked: NotRequired[list[int]]


class Place(TypedDict):
    model: str
    position: int
    caller: str
    waited: float


class Running(TypedDict):
    """`GET /running`."""

    running: list[RunningRow]
    waiting: dict[str, int]
    queue: NotRequired[list[Place]]
    evicted: NotRequired[dict[str, Decision]]


class Ordered(TypedDict):
    """What load, restart, reset, pin and unpin answer."""

    msg: str
    model: NotRequired[str]
    state: NotRequired[str]
    pinned: NotRequired[bool]
