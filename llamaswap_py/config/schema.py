"""Every key of the configuration: its kind, default and meaning. Reading, spotting unknown keys and the documentation
go by this table, so a key is added here first."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from llamaswap_py.config.values import (
    ALERT_RULES,
    PEER_TIMEOUTS,
    QUEUE_LIMIT,
    QUEUE_LIMIT_OF_ALL,
    QUIET_PATHS,
    SESSION_HEADERS,
    STATIC_FILES,
    Alerts,
    LogFiles,
    Receiver,
    Timeouts,
)

ANY_NAME = "*"  # in a path: a name the operator chose


class Kind(StrEnum):
    MAP = "mapping"
    TEXT = "text"
    TEXTS = "list of texts"
    FLAG = "true or false"
    WHOLE = "whole number"
    SECONDS = "seconds, or a duration such as 5m"
    SPAN = "seconds, a duration such as 5m, or .inf"
    SIZE = "bytes, or a size such as 256MB"
    WORD = "one word of a few"
    MACROS = "mapping of name to text, number or boolean"
    NAMES = "mapping of name to text"
    COUNTS = "mapping of name to whole number"
    OBJECT = "mapping of anything"
    OBJECTS = "mapping of name to mapping of anything"
    OPEN = "anything"


class Key(msgspec.Struct, frozen=True):
    path: str
    kind: Kind
    default: object
    about: str
    ours: bool = False
    least: int | None = None
    most: int | None = None
    words: tuple[str, ...] = ()
    # llama-swap takes any word here and falls back to the default; so do we, with a warning
    lenient: bool = False


SECONDS, WHOLE, TEXT, TEXTS, FLAG, MAP = Kind.SECONDS, Kind.WHOLE, Kind.TEXT, Kind.TEXTS, Kind.FLAG, Kind.MAP
WORD, NAMES, COUNTS, OBJECT, OBJECTS = Kind.WORD, Kind.NAMES, Kind.COUNTS, Kind.OBJECT, Kind.OBJECTS
PROXY = "http://localhost:${PORT}"
LEVELS, OUTPUTS = ("debug", "info", "warn", "error"), ("proxy", "upstream", "both", "none")
LOGS = LogFiles()
SHARERS = ("callers", "sessions", "nobody")
STRATEGIES = ("pin", "warm", "spillover")
GPUS = ("auto", "none", "nvidia", "amd", "apple")
RECEIVERS, SEVERITIES, MAIL_TLS = (
    ("webhook", "slack", "ntfy", "email"),
    ("warning", "critical"),
    ("starttls", "tls", "none"),
)
ALERTS, RECEIVER = Alerts(), Receiver("", "")
MODALITIES = ("text", "audio", "image")
TIME_FORMATS = (
    "ansic", "unixdate", "rubydate", "rfc822", "rfc822z", "rfc850", "rfc1123", "rfc1123z", "rfc3339", "rfc3339nano",
    "kitchen", "stamp", "stampmilli", "stampmicro", "stampnano",
)  # fmt: skip

# Read and checked, but the running program does not act on it yet: a reader is told. Whoever builds it takes it out.
NOT_YET = frozenset({"models.*.timeouts.expectContinue", "peers.*.timeouts.expectContinue"})

# What is written there no mistake quotes.
SECRET = frozenset(
    {
        "apiKeys",
        "models.*.env",
        "peers.*.apiKey",
        *(f"alerts.receivers.*.{name}" for name in ("url", "secret", "token", "headers", "password")),
    }
)

# A second place for the same entries: their keys are described once, at the path on the right.
SAME = {
    "routing.router.settings.groups": "groups",
    "routing.router.settings.matrix": "matrix",
    "peers.*.filters": "models.*.filters",
}


def timeouts(section: str, values: Timeouts) -> tuple[Key, ...]:
    return (
        Key(f"{section}.connect", SECONDS, int(values.connect), "To establish a connection; 0: no limit."),
        Key(f"{section}.keepalive", SECONDS, int(values.keepalive), "Between TCP keepalives; below 0: none."),
        Key(f"{section}.responseHeader", SECONDS, int(values.response_header), "Until an answer begins; 0: no limit."),
        Key(f"{section}.tlsHandshake", SECONDS, int(values.tls_handshake), "For the TLS handshake; 0: no limit."),
        Key(f"{section}.expectContinue", SECONDS, int(values.expect_continue), "Until `100 Continue`; 0: no wait."),
        Key(f"{section}.idleConn", SECONDS, int(values.idle), "An unused connection is kept so long; 0: no limit."),
    )


RULES_ABOUT = {
    "cpu_usage": "Use of all cores, in percent.",
    "memory_usage": "Use of the memory, in percent.",
    "gpu_temperature": "The hottest GPU, in degrees Celsius.",
    "error_rate": "Requests of the window that failed (5xx), in percent.",
    "response_time": "Mean time until an answer begins, in milliseconds.",
    "swap_thrash": "Part of the window that went into swapping models, in percent.",
    "restarts": "Servers started after a failure, within the window.",
    "disk_usage": "Use of the fullest disk of ours, in percent.",
}


def rule(name: str) -> tuple[Key, ...]:
    section, chosen = f"alerts.{name}", ALERT_RULES[name]
    return (
        Key(section, MAP, None, RULES_ABOUT[name], ours=True),
        Key(f"{section}.warning", WHOLE, chosen.warning, "A warning from here on; 0: none.", ours=True, least=0),
        Key(f"{section}.critical", WHOLE, chosen.critical, "Critical from here on; 0: never.", ours=True, least=0),
        Key(f"{section}.duration", SECONDS, int(chosen.duration), "Once it lasts so long.", ours=True, least=0),
    )


KEYS = (
    Key("models", MAP, None, "The models, by id. An id is what a caller writes as `model`."),
    Key("models.*", MAP, None, "One model."),
    Key("models.*.cmd", TEXT, "", "The command that starts the model's server. No shell; lines may be broken freely."),
    Key("models.*.cmdStop", TEXT, "", "A command that stops it, for containers and the like; `${PID}` is its process."),
    Key("models.*.proxy", TEXT, PROXY, "Where its server answers. A path in it goes in front of every request's path."),
    Key("models.*.checkEndpoint", TEXT, "/health", "Answers 200 once the server is ready; `none` means: do not ask."),
    Key("models.*.healthCheckTimeout", SECONDS, 0, "How long its load may stand still; 0: the global one.", least=0),
    Key("models.*.loadLimit", SECONDS, None, "How long its load may take. Unset: the global one.", ours=True, least=0),
    Key("models.*.stallTimeout", SECONDS, None, "How long work may stand still. Unset: as global.", ours=True, least=0),
    Key("models.*.ttl", SECONDS, -1, "Unload after so long without use. 0 is never, -1 is `globalTTL`.", least=-1),
    Key("models.*.unloadTimeout", SECONDS, 0, "Grace between asking it to stop and killing it; 0: global.", least=0),
    Key("models.*.env", TEXTS, (), "`NAME=value` entries added to its environment; the last of a name wins."),
    Key("models.*.aliases", TEXTS, (), "Other names for it. Each belongs to one model only."),
    Key("models.*.name", TEXT, "", "A name for people, shown in lists."),
    Key("models.*.description", TEXT, "", "A sentence for people, shown in lists."),
    Key("models.*.unlisted", FLAG, False, "Leave it out of `/v1/models`. It can still be used."),
    Key("models.*.useModelName", TEXT, "", "What its server is told as `model`, instead of what the caller wrote."),
    Key("models.*.concurrencyLimit", WHOLE, None, "Callers at once; one more is refused with 429. Unset: no limit."),
    Key("models.*.seats", WHOLE, None, "Callers served at once; the others wait. Unset: no limit.", ours=True, least=0),
    Key("models.*.queueLimit", WHOLE, QUEUE_LIMIT, "Callers that may wait; one more: 429. 0: any.", ours=True, least=0),
    Key("models.*.queueTimeout", SECONDS, None, "A caller waits so long; 0: any. Unset: global.", ours=True, least=0),
    Key("models.*.pin", FLAG, False, "It is never stopped to make room, nor by its `ttl`.", ours=True),
    Key("models.*.private", FLAG, False, "Nothing of what it is asked and answers is captured.", ours=True),
    Key("models.*.drainOnAbort", FLAG, False, "Read an answer to its end though its caller has left.", ours=True),
    Key("models.*.macros", Kind.MACROS, None, "Macros of this model alone; one of a global name replaces it."),
    Key("models.*.filters", MAP, None, "Rules that change a JSON request before it is passed on."),
    Key("models.*.filters.stripParams", TEXT, "", "Paths to remove, separated by commas. `model` stays."),
    Key("models.*.filters.strip_params", TEXT, "", "The older spelling of `stripParams`."),
    Key("models.*.filters.setParams", OBJECT, None, "Paths to set in it, whatever the caller sent."),
    Key("models.*.filters.setParamsByID", OBJECTS, None, "More of these for each of these names of the model."),
    Key("models.*.metadata", OBJECT, None, "Free information shown in `/v1/models`."),
    Key("models.*.capabilities", MAP, None, "What the model can do, shown in `/v1/models`."),
    Key("models.*.capabilities.in", TEXTS, (), "What it understands: `text`, `audio`, `image`."),
    Key("models.*.capabilities.out", TEXTS, (), "What it makes: `text`, `audio`, `image`."),
    Key("models.*.capabilities.tools", FLAG, False, "It can call tools."),
    Key("models.*.capabilities.reranker", FLAG, False, "It ranks documents."),
    Key("models.*.capabilities.context", WHOLE, 0, "Its context in tokens; 0: not said.", least=0),
    Key("models.*.timeouts", MAP, None, "Time limits of connections to its server."),
    *timeouts("models.*.timeouts", Timeouts()),
    Key("models.*.compat", MAP, None, "Concessions to particular servers."),
    Key("models.*.compat.ignoreWebsockets", FLAG, False, "Websockets neither start it nor keep it up."),
    Key("models.*.compat.holdWebsockets", FLAG, False, "An open websocket keeps it up, as in llama-swap.", ours=True),
    Key("models.*.sendLoadingState", FLAG, None, "Stream news of the loading to who waits. Unset: global."),
    Key("discover", TEXTS, (), "Where to look for models: folders, `huggingface`, `ollama`.", ours=True),
    Key("macros", Kind.MACROS, None, "Texts and numbers used elsewhere as `${name}`."),
    Key("groups", MAP, None, "Which models may be up together, by group name."),
    Key("groups.*", MAP, None, "One group."),
    Key("groups.*.members", TEXTS, (), "Ids of its models. A model is in one group at most."),
    Key("groups.*.swap", FLAG, True, "Only one member is up at a time."),
    Key("groups.*.exclusive", FLAG, True, "Starting a member stops the models of other groups."),
    Key("groups.*.persistent", FLAG, False, "Other groups cannot stop its members."),
    Key("matrix", MAP, None, "Combinations of models that may be up together, instead of groups."),
    Key("matrix.vars", NAMES, None, "Short names for model ids, for use in `sets`."),
    Key("matrix.sets", NAMES, None, "Expressions of names, `&`, `|`, `+set` and brackets, by set name. At least one."),
    Key("matrix.evict_costs", COUNTS, None, "What stopping a model costs, by short name or id; else 1.", least=1),
    Key("routing", MAP, None, "The newer place of groups and matrix, and the order of those who wait."),
    Key("routing.router", MAP, None, "How it is decided which models may be up together."),
    Key("routing.router.use", WORD, "group", "The rule in force.", words=("group", "matrix")),
    Key("routing.router.settings", MAP, None, "Settings of each rule."),
    Key("routing.router.settings.groups", MAP, None, "The same as `groups`; only one of the two may be used."),
    Key("routing.router.settings.matrix", MAP, None, "The same as `matrix`; only one of the two may be used."),
    Key("routing.scheduler", MAP, None, "Whose turn it is among those who wait."),
    Key("routing.scheduler.use", WORD, "fifo", "The rule in force.", words=("fifo",)),
    Key("routing.scheduler.settings", MAP, None, "Settings of each rule."),
    Key("routing.scheduler.settings.fifo", MAP, None, "Settings of `fifo`: first come, first served."),
    Key("routing.scheduler.settings.fifo.priority", COUNTS, None, "Callers of a higher one go first; else 0."),
    Key("profiles", MAP, None, "Sets of names that are switched together while the program runs."),
    Key("profiles.*", MAP, None, "One profile. None is active at the start."),
    Key("profiles.*.description", TEXT, "", "A sentence for people."),
    Key("profiles.*.pins", NAMES, None, "Requested name to what it means then; nothing switches the name off."),
    Key("selectors", MAP, None, "Names that choose among several models for each request."),
    Key("selectors.*", MAP, None, "One selector."),
    Key("selectors.*.strategy", WORD, "", "The first, one that is up, or the next when one is busy.", words=STRATEGIES),
    Key("selectors.*.targets", TEXTS, (), "Names of models, local or of peers, in the order of preference."),
    Key("selectors.*.settings", MAP, None, "Settings of the strategy."),
    Key("selectors.*.settings.spillover", WHOLE, 1, "Requests on each target before one more is woken.", least=1),
    Key("selectors.*.name", TEXT, "", "A name for people, shown in lists."),
    Key("selectors.*.description", TEXT, "", "A sentence for people, shown in lists."),
    Key("selectors.*.unlisted", FLAG, False, "Leave it out of `/v1/models`. It can still be used."),
    Key("selectors.*.metadata", OBJECT, None, "Free information shown in `/v1/models`."),
    Key("peers", MAP, None, "Other servers whose models are offered here."),
    Key("peers.*", MAP, None, "One server. Its models are called `<peer>/<model>`, and bare where only it has them."),
    Key("peers.*.proxy", TEXT, "", "Its address. Required."),
    Key("peers.*.apiKey", TEXT, "", "The key it wants. The caller's own is never sent on."),
    Key("peers.*.models", TEXTS, (), "The models it has, under its names. At least one."),
    Key("peers.*.filters", MAP, None, "The same as a model's `filters`, for requests to this peer."),
    Key("peers.*.timeouts", MAP, None, "Time limits of connections to it."),
    *timeouts("peers.*.timeouts", PEER_TIMEOUTS),
    Key("hooks", MAP, None, "What to do at certain moments."),
    Key("hooks.on_startup", MAP, None, "What to do at the start and after a reload."),
    Key("hooks.on_startup.preload", TEXTS, (), "Names of models to load at once, in this order."),
    Key("healthCheckTimeout", SECONDS, 120, "How long a load may go without a sign of progress; at least 15."),
    Key("loadLimit", SECONDS, 0, "How long a load may take in all, progress or not; 0: no limit.", ours=True, least=0),
    Key("stallTimeout", SECONDS, 600, "How long work may show no progress; 0: no limit.", ours=True, least=0),
    Key("startPort", WHOLE, 5800, "The first port given out as `${PORT}`.", least=1, most=65535),
    Key("globalTTL", SECONDS, 0, "The `ttl` of models that set none; 0 is never.", least=0),
    Key("unloadTimeout", SECONDS, 10, "The `unloadTimeout` of models that set none; 0 is 10.", least=0),
    Key("sendLoadingState", FLAG, False, "Stream news of the loading while a caller waits."),
    Key("logLevel", WORD, "info", "How much is logged.", words=LEVELS, lenient=True),
    Key("logToStdout", WORD, "proxy", "Whose log goes to standard output.", words=OUTPUTS),
    Key("logTimeFormat", WORD, "", "How log lines show the time.", words=TIME_FORMATS, lenient=True),
    Key("logFormat", WORD, "console", "Lines for people, or JSON.", ours=True, words=("console", "json")),
    Key("logs", MAP, None, "Logs as files, too.", ours=True),
    Key("logs.directory", TEXT, "", "The folder: a file for the program, one for each model. Empty: none.", ours=True),
    Key("logs.maxSize", Kind.SIZE, LOGS.max_size, "Of one file; then the next. 0: any.", ours=True, least=0),
    Key("logs.maxAge", SECONDS, 0, "None holds lines of a longer time; 0: of any.", ours=True, least=0),
    Key("logs.keep", WHOLE, LOGS.keep, "Files kept of each log besides the one being written.", ours=True, least=0),
    Key("logs.total", Kind.SIZE, LOGS.total, "What all may take together; the oldest go. 0: any.", ours=True, least=0),
    Key("includeAliasesInList", FLAG, False, "Show aliases as models of their own in `/v1/models`."),
    Key("apiKeys", TEXTS, (), "Keys of which a caller must send one. None: everybody may call."),
    Key("allowedHosts", TEXTS, (), "More host names under which control routes answer.", ours=True),
    Key("maxBodySize", Kind.SIZE, 256 * 1024 * 1024, "The largest body held; uploads pass.", ours=True, least=1),
    Key("limits", MAP, None, "What callers may take of the program itself.", ours=True),
    Key("limits.connections", WHOLE, 0, "Connections at once; 0: what the descriptors allow.", ours=True, least=0),
    Key("limits.uploadStall", SECONDS, 60, "A body that brings nothing for so long is given up.", ours=True, least=0),
    Key("limits.readerStall", SECONDS, 60, "So is an answer of which the caller takes nothing.", ours=True, least=0),
    Key("limits.drain", SECONDS, 30, "How long answers may go on after the order to stop.", ours=True, least=0),
    Key("crashLimit", MAP, None, "When a model that fails again and again is given up.", ours=True),
    Key("crashLimit.failures", WHOLE, 5, "So many in the window; 0: it is never given up.", ours=True, least=0),
    Key("crashLimit.window", SECONDS, 600, "Time; what loads and pauses take does not count.", ours=True, least=1),
    Key("crashLimit.retry", SECONDS, 300, "Time between two tries of a model that was given up.", ours=True, least=1),
    Key("patience", Kind.SPAN, 30, "How long a waiting caller may be overtaken; `.inf`: for ever.", ours=True, least=0),
    Key("queueLimit", WHOLE, QUEUE_LIMIT_OF_ALL, "Callers that may wait in all; one more: 503.", ours=True, least=0),
    Key("queueTimeout", SECONDS, 0, "The `queueTimeout` of models that set none; 0: for ever.", ours=True, least=0),
    Key("minResidency", Kind.SPAN, 0, "A model that became ready makes no room for so long.", ours=True, least=0),
    Key("holdLoad", Kind.SPAN, 10, "Nor does a load that its last caller has left, for so long.", ours=True, least=0),
    Key("evictOnOutOfMemory", FLAG, True, "One idle model goes for a load that ran out of memory.", ours=True),
    Key("heartbeat", SECONDS, 15, "A stream of events silent for so long gets a comment; 0: none.", ours=True, least=0),
    Key("fairBetween", WORD, "callers", "Who takes turns for a seat.", ours=True, words=SHARERS),
    Key("upstream", MAP, None, "Requests under `/upstream`."),
    Key("upstream.ignorePaths", TEXTS, (STATIC_FILES,), "Regular expressions of paths that do not start a model."),
    Key("upstream.quietPaths", TEXTS, (QUIET_PATHS,), "The same of paths that only look (GET).", ours=True),
    Key("store", MAP, None, "Where past requests are kept; without it, in memory."),
    Key("store.path", TEXT, "", "The file. Required."),
    Key("store.maxAge", SECONDS, 0, "What is older is taken out; 0: nothing.", ours=True, least=0),
    Key("store.maxSize", Kind.SIZE, 0, "Beyond it the oldest is taken out; 0: nothing.", ours=True, least=0),
    Key("store.captures", Kind.SIZE, 0, "So much of what was asked and answered is kept; 0: none.", ours=True, least=0),
    Key("metricsMaxInMemory", WHOLE, 1000, "How many past requests are kept in memory."),
    Key("captureBuffer", WHOLE, 5, "MiB for recorded requests and answers; 0: none are recorded."),
    Key("ui", MAP, None, "Settings of the page."),
    Key("ui.activity", MAP, None, "Settings of its list of requests."),
    Key("ui.activity.session_id", TEXTS, SESSION_HEADERS, "Request headers that name a session; none: off."),
    Key("performance", MAP, None, "Measuring the machine."),
    Key("performance.disabled", FLAG, False, "Do not measure."),
    Key("performance.every", SECONDS, 5, "Time between two measurements; at least 5."),
    Key("performance.gpus", WORD, "auto", "Which cards are looked at.", ours=True, words=GPUS),
    Key("alerts", MAP, None, "What is watched, and who is told.", ours=True),
    Key("alerts.disabled", FLAG, False, "Watch nothing.", ours=True),
    Key("alerts.every", SECONDS, int(ALERTS.every), "Time between two looks.", ours=True, least=1),
    Key("alerts.window", SECONDS, int(ALERTS.window), "What is counted is counted over so long.", ours=True, least=1),
    Key("alerts.calm", SECONDS, int(ALERTS.calm), "An alert is over once it was low for so long.", ours=True, least=0),
    Key("alerts.margin", WHOLE, ALERTS.margin, "Low is so many percent below its limit.", ours=True, least=0, most=90),
    *(key for name in ALERT_RULES for key in rule(name)),
    Key("alerts.receivers", MAP, None, "Who is told, besides the log, by a name of your choice.", ours=True),
    Key("alerts.receivers.*", MAP, None, "One receiver.", ours=True),
    Key("alerts.receivers.*.kind", WORD, "", "What it is. Required.", ours=True, words=RECEIVERS),
    Key("alerts.receivers.*.least", WORD, "warning", "What is told at least.", ours=True, words=SEVERITIES),
    Key("alerts.receivers.*.url", TEXT, "", "Its address; not of an email.", ours=True),
    Key("alerts.receivers.*.secret", TEXT, "", "A webhook's messages are signed with it; empty: not.", ours=True),
    Key("alerts.receivers.*.token", TEXT, "", "The access token of ntfy.", ours=True),
    Key("alerts.receivers.*.headers", NAMES, None, "Sent along, by name.", ours=True),
    Key("alerts.receivers.*.host", TEXT, "", "The mail server.", ours=True),
    Key("alerts.receivers.*.port", WHOLE, RECEIVER.port, "Its port.", ours=True, least=1, most=65535),
    Key("alerts.receivers.*.tls", WORD, RECEIVER.tls, "How it is kept secret on its way.", ours=True, words=MAIL_TLS),
    Key("alerts.receivers.*.username", TEXT, "", "For the mail server; empty: no login.", ours=True),
    Key("alerts.receivers.*.password", TEXT, "", "The same.", ours=True),
    Key("alerts.receivers.*.from", TEXT, "", "The sender; empty: the username.", ours=True),
    Key("alerts.receivers.*.to", TEXTS, (), "To whom.", ours=True),
    Key("logRequests", Kind.OPEN, None, "Accepted and ignored, as in llama-swap."),
)  # fmt: skip

BY_PATH = {key.path: key for key in KEYS}


def keys_in() -> dict[str, dict[str, Key]]:
    """The keys that may stand in each mapping, by the mapping's path; the document itself is the empty path."""
    found: dict[str, dict[str, Key]] = {}
    for key in KEYS:
        section, _, name = key.path.rpartition(".")
        found.setdefault(section, {})[name] = key
    return found


KEYS_IN = keys_in()
