"""Every key of the configuration: its kind, default and meaning. Reading, spotting unknown keys and the documentation
go by this table, so a key is added here first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
    OPEN = "anything"


class Standing(StrEnum):
    ACTS = "acts"
    MISSED = "not acted on yet, and a reader is told"
    QUIET = "not acted on, and nothing is missed"


@dataclass(frozen=True, slots=True)
class Key:
    path: str
    kind: Kind
    default: object
    about: str
    standing: Standing = Standing.ACTS
    ours: bool = False
    least: int | None = None
    most: int | None = None
    words: tuple[str, ...] = ()
    # llama-swap takes any word here and falls back to the default; so do we, with a warning
    lenient: bool = False


SECONDS, WHOLE, TEXT, TEXTS, FLAG, MAP = Kind.SECONDS, Kind.WHOLE, Kind.TEXT, Kind.TEXTS, Kind.FLAG, Kind.MAP
MISSED, QUIET = Standing.MISSED, Standing.QUIET
PROXY = "http://localhost:${PORT}"
LEVELS, OUTPUTS = ("debug", "info", "warn", "error"), ("proxy", "upstream", "both", "none")

KEYS = (
    Key("models", MAP, None, "The models, by id. An id is what a caller writes as `model`."),
    Key("models.*", MAP, None, "One model."),
    Key("models.*.cmd", TEXT, "", "The command that starts the model's server. No shell; lines may be broken freely."),
    Key("models.*.cmdStop", TEXT, "", "A command that stops it, for containers and the like; `${PID}` is its process."),
    Key("models.*.proxy", TEXT, PROXY, "Where its server answers. A path in it goes in front of every request's path."),
    Key("models.*.checkEndpoint", TEXT, "/health", "Answers 200 once the server is ready; `none` means: do not ask."),
    Key("models.*.ttl", SECONDS, -1, "Unload after so long without use. 0 is never, -1 is `globalTTL`.", least=-1),
    Key("models.*.unloadTimeout", SECONDS, 0, "Grace between asking it to stop and killing it; 0: global.", least=0),
    Key("models.*.env", TEXTS, (), "`NAME=value` entries added to its environment; the last of a name wins."),
    Key("models.*.aliases", TEXTS, (), "Other names for it. Each belongs to one model only."),
    Key("models.*.name", TEXT, "", "A name for people, shown in lists."),
    Key("models.*.description", TEXT, "", "A sentence for people, shown in lists."),
    Key("models.*.unlisted", FLAG, False, "Leave it out of `/v1/models`. It can still be used."),
    Key("models.*.useModelName", TEXT, "", "What its server is told as `model`, instead of what the caller wrote."),
    Key("models.*.concurrencyLimit", WHOLE, None, "Callers at once; one more is refused with 429. Unset: no limit."),
    Key("models.*.macros", Kind.MACROS, None, "Macros of this model alone; one of a global name replaces it."),
    Key("models.*.filters", Kind.OPEN, None, "Rules that change a request before it is passed on.", MISSED),
    Key("models.*.metadata", Kind.OPEN, None, "Free information shown in `/v1/models`.", MISSED),
    Key("models.*.capabilities", Kind.OPEN, None, "What the model can do, shown in `/v1/models`.", MISSED),
    Key("models.*.timeouts", Kind.OPEN, None, "Time limits of connections to its server.", MISSED),
    Key("models.*.compat", Kind.OPEN, None, "Concessions to particular servers.", MISSED),
    Key("models.*.sendLoadingState", Kind.OPEN, None, "Stream news of the loading while a caller waits.", MISSED),
    Key("models.*.healthCheckTimeout", Kind.OPEN, None, "Accepted and ignored: only the global one counts.", QUIET),
    Key("macros", Kind.MACROS, None, "Texts and numbers used elsewhere as `${name}`."),
    Key("groups", MAP, None, "Which models may be up together, by group name."),
    Key("groups.*", MAP, None, "One group."),
    Key("groups.*.members", TEXTS, (), "Ids of its models. A model is in one group at most."),
    Key("groups.*.swap", FLAG, True, "Only one member is up at a time."),
    Key("groups.*.exclusive", FLAG, True, "Starting a member stops the models of other groups."),
    Key("groups.*.persistent", FLAG, False, "Other groups cannot stop its members."),
    Key("routing", MAP, None, "The newer place of groups."),
    Key("routing.router", MAP, None, "How it is decided which models may be up together."),
    Key("routing.router.use", Kind.WORD, "group", "The rule in force.", words=("group", "matrix")),
    Key("routing.router.settings", MAP, None, "Settings of each rule."),
    Key("routing.router.settings.groups", MAP, None, "The same as `groups`; only one of the two may be used."),
    Key("routing.router.settings.matrix", Kind.OPEN, None, "Combinations of models that may be up together.", MISSED),
    Key("routing.scheduler", Kind.OPEN, None, "Priorities of models in the queue.", MISSED),
    Key("hooks", MAP, None, "What to do at certain moments."),
    Key("hooks.on_startup", MAP, None, "What to do at the start and after a reload."),
    Key("hooks.on_startup.preload", TEXTS, (), "Names of models to load at once, in this order."),
    Key("healthCheckTimeout", SECONDS, 120, "How long a model may take from its start until it is ready; at least 15."),
    Key("startPort", WHOLE, 5800, "The first port given out as `${PORT}`.", least=1, most=65535),
    Key("globalTTL", SECONDS, 0, "The `ttl` of models that set none; 0 is never.", least=0),
    Key("unloadTimeout", SECONDS, 10, "The `unloadTimeout` of models that set none; 0 is 10.", least=0),
    Key("logLevel", Kind.WORD, "info", "How much is logged.", words=LEVELS, lenient=True),
    Key("logToStdout", Kind.WORD, "proxy", "Whose log goes to standard output.", words=OUTPUTS),
    Key("includeAliasesInList", FLAG, False, "Show aliases as models of their own in `/v1/models`."),
    Key("apiKeys", TEXTS, (), "Keys of which a caller must send one. None: everybody may call."),
    Key("allowedHosts", TEXTS, (), "More host names under which control routes answer.", ours=True),
    Key("maxBodySize", Kind.SIZE, 256 * 1024 * 1024, "The largest request that is accepted.", ours=True, least=1),
    Key("patience", Kind.SPAN, 30, "How long a waiting caller may be overtaken; `.inf`: for ever.", ours=True, least=0),
    Key("logTimeFormat", Kind.OPEN, None, "How log lines show the time.", QUIET),
    Key("logRequests", Kind.OPEN, None, "Accepted and ignored, as in llama-swap.", QUIET),
    Key("metricsMaxInMemory", Kind.OPEN, None, "How many past requests are kept.", QUIET),
    Key("captureBuffer", Kind.OPEN, None, "Memory for recorded requests and answers.", MISSED),
    Key("sendLoadingState", Kind.OPEN, None, "Stream news of the loading while a caller waits.", MISSED),
    Key("store", Kind.OPEN, None, "A file in which past requests are kept.", MISSED),
    Key("ui", Kind.OPEN, None, "Settings of the page.", QUIET),
    Key("performance", Kind.OPEN, None, "How often the machine is measured.", QUIET),
    Key("upstream", Kind.OPEN, None, "Which requests under `/upstream` do not start a model.", MISSED),
    Key("matrix", Kind.OPEN, None, "Combinations of models that may be up together.", MISSED),
    Key("profiles", Kind.OPEN, None, "Sets of names that can be switched together.", MISSED),
    Key("selectors", Kind.OPEN, None, "Names that choose among several models.", MISSED),
    Key("peers", Kind.OPEN, None, "Other servers whose models are offered here.", MISSED),
)  # fmt: skip

BY_PATH = {key.path: key for key in KEYS}


def names_in() -> dict[str, tuple[str, ...]]:
    """The keys that may stand in each mapping, by the mapping's path; the document itself is the empty path."""
    found: dict[str, list[str]] = {}
    for key in KEYS:
        section, _, name = key.path.rpartition(".")
        found.setdefault(section, []).append(name)
    return {section: tuple(names) for section, names in found.items()}


NAMES_IN = names_in()
