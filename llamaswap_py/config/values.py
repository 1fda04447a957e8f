"""What the operator wrote, as frozen values. Nothing here reads, checks or computes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

DEFAULT_GROUP = "(default)"
COMFYUI = "comfyui_auto"  # the model of this id is the one behind `/comfyui/`

# A free value as JSON has it, frozen: a tuple is an array, a mapping an object in the order written.
Json = None | bool | int | float | str | tuple["Json", ...] | Mapping[str, "Json"]

# What a browser fetches for a page: asked for under `/upstream/<model>`, it starts no model. llama-swap's default.
STATIC_FILES = r".*\.(js|json|css|png|gif|jpg|jpeg|ico|txt)$"
SESSION_HEADERS = ("X-Session-ID", "X-Litellm-Session-Id")
NO_FILE = "(no file)"  # in the place of a configuration file's name, where there is none
# What tells of a model's server and asks nothing of the model.
QUIET_PATHS = r"^/(v1/)?(health|props|slots|metrics|models)$"
# Beyond that callers wait longer than any client does, and each one's request is held in memory.
QUEUE_LIMIT, QUEUE_LIMIT_OF_ALL = 1000, 5000
NOTHING: Mapping[Any, Any] = MappingProxyType({})


def nothing() -> Mapping[Any, Any]:
    """An empty mapping, as a default."""
    return NOTHING


class Filters(msgspec.Struct, frozen=True):
    """What a JSON request is changed by. The texts are dotted paths, sorted; `model` is never among them."""

    strip: tuple[str, ...] = ()
    set: Mapping[str, Json] = msgspec.field(default_factory=nothing)
    set_by_id: Mapping[str, Mapping[str, Json]] = msgspec.field(default_factory=nothing)


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds of connections to an upstream; 0 = no limit."""

    connect: float = 30.0
    keepalive: float = 30.0  # negative: no TCP keepalive
    response_header: float = 0.0
    tls_handshake: float = 10.0
    expect_continue: float = 1.0
    idle: float = 90.0


PEER_TIMEOUTS = Timeouts(response_header=60.0)  # a peer is up already, so it has less excuse


class Limits(msgspec.Struct, frozen=True):
    """Ours: what callers may take of the program itself. Seconds; 0 = no limit."""

    connections: int = 0  # at once; 0 = what half of the descriptors allows
    upload_stall: float = 60.0  # a body may bring nothing for so long
    reader_stall: float = 60.0  # a caller may take nothing of its answer for so long
    drain: float = 30.0  # answers in flight may go on after the order to stop; llama-swap's figure


class Capabilities(msgspec.Struct, frozen=True):
    """What a model says it can do."""

    inputs: tuple[str, ...] = ()  # of text, audio, image
    outputs: tuple[str, ...] = ()
    tools: bool = False
    reranker: bool = False
    context: int = 0  # tokens; 0 = not said


class Model(msgspec.Struct, frozen=True):
    """One configured model, after macros and defaults. `${PORT}` and `${PID}` still stand in its texts,
    so that two readings of one file compare equal whatever ports they would be given."""

    id: str
    cmd: str  # comment lines removed
    cmd_stop: str = ""
    proxy: str = "http://localhost:${PORT}"
    check_endpoint: str = "/health"  # the word "none" means: no probing
    ttl: float = 0.0  # effective seconds; 0 = never unloaded for idleness
    unload_timeout: float = 10.0  # effective seconds between the stop signal and SIGKILL
    env: tuple[str, ...] = ()  # KEY=VALUE, appended to our own environment, last wins
    aliases: tuple[str, ...] = ()
    name: str = ""
    description: str = ""
    unlisted: bool = False
    use_model_name: str = ""
    concurrency_limit: int | None = None  # None = no limit of ours
    seats: int | None = None  # ours: callers served at once, the others wait; None = no limit
    queue_limit: int | None = QUEUE_LIMIT  # ours: callers that may wait; None = no limit
    queue_timeout: float = 0.0  # ours: effective seconds a caller may wait: its own, else the global one; 0 = for ever
    pin: bool = False  # ours: neither evicted nor unloaded by its ttl
    private: bool = False  # ours: nothing of its requests and answers is captured
    drain_on_abort: bool = False  # ours: answers whose callers left are read to their end
    filters: Filters = Filters()
    metadata: Mapping[str, Json] = msgspec.field(default_factory=nothing)
    capabilities: Capabilities = Capabilities()
    timeouts: Timeouts = Timeouts()
    ignore_websockets: bool = False  # they start nothing and hold nothing up
    hold_websockets: bool = False  # they count as callers for as long as they are open
    send_loading_state: bool = False  # effective: its own, else the global one
    health_check_timeout: float = (
        120.0  # effective seconds a load may go without progress: its own, else the global one
    )
    load_limit: float = 0.0  # ours: effective seconds from spawn to ready at most; 0 = no limit
    stall_timeout: float = 600.0  # ours: effective seconds with callers and without any progress; 0 = never judged


class Group(msgspec.Struct, frozen=True):
    """Models that share a place: who may be up beside whom."""

    id: str
    members: tuple[str, ...]
    swap: bool = True  # one member at a time
    exclusive: bool = True  # starting a member stops other groups' models
    persistent: bool = False  # other groups cannot stop its members


class Matrix(msgspec.Struct, frozen=True):
    """Which models may be up together, as expressions over them. Each expression is known to be readable."""

    sets: tuple[tuple[str, str], ...]  # name and expression, in the order written, which decides between equals
    vars: Mapping[str, str] = msgspec.field(default_factory=nothing)  # short name -> model id
    evict_costs: Mapping[str, int] = msgspec.field(default_factory=nothing)  # model id -> cost; 1 else


class Peer(msgspec.Struct, frozen=True):
    """Another server whose models are offered here as `<id>/<model>`, or bare where only one peer has them."""

    id: str
    proxy: str
    models: tuple[str, ...]
    api_key: str = ""  # sent instead of the caller's
    filters: Filters = Filters()
    timeouts: Timeouts = PEER_TIMEOUTS


class Remote(msgspec.Struct, frozen=True):
    """A model of a peer, under the peer's own name for it."""

    peer: str
    model: str


class Selector(msgspec.Struct, frozen=True):
    """A name that stands for one of several models, chosen for each request."""

    id: str
    strategy: str  # pin | warm | spillover
    targets: tuple[str, ...]  # ids, aliases or peers' models
    spillover: int = 1  # requests on each busy target before the next one is woken
    name: str = ""
    description: str = ""
    unlisted: bool = False
    metadata: Mapping[str, Json] = msgspec.field(default_factory=nothing)


class Profile(msgspec.Struct, frozen=True):
    """Names that mean something else while it is active."""

    id: str
    pins: Mapping[str, str]  # requested name -> target; empty: the name is switched off
    description: str = ""


class Shelf(msgspec.Struct, frozen=True):
    """Where model files are looked for: a folder as it is written, or one of the words of `discover`."""

    word: str
    file: str  # the configuration file that names it: a folder is relative to where that stands


class Performance(msgspec.Struct, frozen=True):
    """Measuring the machine."""

    disabled: bool = False
    every: float = 5.0  # seconds
    gpus: str = "auto"  # which cards are asked: also none, or nvidia, amd, apple


class Store(msgspec.Struct, frozen=True):
    """Where past requests are kept, and what of them. 0: without a limit; no captures."""

    path: str = ""  # empty: in memory
    max_age: float = 0.0  # ours: seconds
    max_size: int = 0  # ours: bytes
    captures: int = 0  # ours: bytes


class LogFiles(msgspec.Struct, frozen=True):
    """Ours: what is logged, as files too. Bytes and seconds; 0 = no limit."""

    directory: str = ""  # empty: no files
    max_size: int = 50 * 1024 * 1024  # of one file, before it is turned over
    max_age: float = 0.0  # of its oldest line
    keep: int = 5  # turned over, of each log
    total: int = 1024**3  # of all files together


class CrashLimit(msgspec.Struct, frozen=True):
    """When a model that fails again and again is given up, and how often it is tried from then on."""

    failures: int = 5  # 0 = never given up
    window: float = 600.0  # seconds; what loads and pauses take does not count
    retry: float = 300.0  # seconds


class AlertRule(msgspec.Struct, frozen=True):
    """From which value on, and for how long, something is told. A limit of 0 is none."""

    warning: int
    critical: int
    duration: float  # seconds


# What each rule measures, and in what, says observe/alerts/rules.py.
ALERT_RULES: Mapping[str, AlertRule] = MappingProxyType(
    {
        "cpu_usage": AlertRule(80, 95, 300.0),
        "memory_usage": AlertRule(85, 95, 300.0),
        "gpu_temperature": AlertRule(80, 85, 180.0),
        "error_rate": AlertRule(5, 15, 120.0),
        "response_time": AlertRule(10_000, 30_000, 180.0),
        "swap_thrash": AlertRule(50, 80, 600.0),
        "restarts": AlertRule(2, 4, 0.0),
        "disk_usage": AlertRule(90, 97, 60.0),
    }
)


class Receiver(msgspec.Struct, frozen=True):
    """Who is told of alerts, and how."""

    id: str
    kind: str  # webhook | slack | ntfy | email
    least: str = "warning"  # warning | critical
    url: str = ""
    secret: str = ""  # what a webhook's messages are signed with
    token: str = ""  # ntfy's
    headers: Mapping[str, str] = msgspec.field(default_factory=nothing)
    host: str = ""  # of the mail server
    port: int = 587
    tls: str = "starttls"  # starttls | tls | none
    username: str = ""
    password: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()


class Alerts(msgspec.Struct, frozen=True):
    """Ours: what is watched. Seconds."""

    disabled: bool = False
    every: float = 15.0  # between two looks
    window: float = 300.0  # over which requests, swaps and restarts are counted
    calm: float = 60.0  # so long a value must be well below its limit before its alert is over
    margin: int = 5  # percent of the limit: what "well below" is
    rules: Mapping[str, AlertRule] = msgspec.field(default_factory=lambda: ALERT_RULES)
    receivers: Mapping[str, Receiver] = msgspec.field(default_factory=nothing)


class Config(msgspec.Struct, frozen=True):
    models: Mapping[str, Model]  # in byte order of id
    groups: tuple[Group, ...] = ()  # every model is in exactly one; the rest are in DEFAULT_GROUP
    preload: tuple[str, ...] = ()  # model ids, aliases resolved, in the order written
    health_check_timeout: float = 120.0  # what models inherit
    load_limit: float = 0.0  # what models inherit
    stall_timeout: float = 600.0  # what models inherit
    global_ttl: float = 0.0  # what models inherit
    unload_timeout: float = 10.0  # what models inherit
    start_port: int = 5800
    log_level: str = "info"  # debug | info | warn | error
    log_to_stdout: str = "proxy"  # proxy | upstream | both | none
    include_aliases_in_list: bool = False
    api_keys: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()  # ours: more Host names that control routes accept
    max_body_bytes: int = 256 * 1024 * 1024  # ours: `maxBodySize`
    matrix: Matrix | None = None  # in force instead of groups where there is one
    priorities: Mapping[str, int] = msgspec.field(default_factory=nothing)  # model id -> its queue priority
    peers: Mapping[str, Peer] = msgspec.field(default_factory=nothing)
    selectors: Mapping[str, Selector] = msgspec.field(default_factory=nothing)
    profiles: Mapping[str, Profile] = msgspec.field(default_factory=nothing)
    send_loading_state: bool = False  # what models inherit
    ignore_paths: tuple[str, ...] = (STATIC_FILES,)  # regular expressions, searched in paths under `/upstream/<model>`
    session_headers: tuple[str, ...] = SESSION_HEADERS  # that tell one session's requests in the page
    performance: Performance = Performance()
    store: Store = Store()
    capture_buffer: int = 5  # MiB; 0 = no captures
    metrics_in_memory: int = 1000  # past requests kept without a store
    log_time_format: str = ""  # empty: no time
    log_format: str = "console"  # ours: console | json
    log_files: LogFiles = LogFiles()  # ours
    limits: Limits = Limits()
    crash_limit: CrashLimit = CrashLimit()  # ours
    alerts: Alerts = Alerts()  # ours
    patience: float = 30.0  # ours: seconds the oldest waiter may be overtaken by callers of what is up
    discover: tuple[Shelf, ...] = ()  # ours
    discovered: Mapping[str, str] = msgspec.field(default_factory=nothing)  # found models: id -> file
    queue_limit: int | None = QUEUE_LIMIT_OF_ALL  # ours: callers that may wait for all models; None = no limit
    queue_timeout: float = 0.0  # ours: what models inherit
    min_residency: float = 0.0  # ours: seconds a ready model keeps its room from others whose patience is not spent
    hold_load: float = 10.0  # ours: the same for a load whose last caller has left
    evict_on_out_of_memory: bool = True  # ours: one idle model goes for a start that ran out of memory
    heartbeat: float = 15.0  # ours: seconds after which the caller of a silent stream gets a comment; 0 = never
    fair_between: str = "callers"  # ours: callers | sessions | nobody
    quiet_paths: tuple[str, ...] = (QUIET_PATHS,)  # ours: regular expressions of what only looks at a model's server
    names: Mapping[str, str] = msgspec.field(default_factory=nothing)  # id or alias -> id
    remotes: Mapping[str, Remote] = msgspec.field(default_factory=nothing)  # every name of a peer's model -> it
    ports: Mapping[str, int] = msgspec.field(default_factory=nothing)  # model id -> its port
