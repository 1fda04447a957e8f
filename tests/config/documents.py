"""Random configuration documents that are free of mistakes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Document = dict[str, Any]

# Anything printable, but no `$`: what looks like a macro would have to be one.
SIGNS = st.characters(categories=["L", "M", "N", "P", "S", "Zs"], exclude_characters="$") | st.sampled_from(
    "\n\t #:'\"-0"
)
TEXT = st.text(SIGNS, max_size=12)
WORD = st.text(st.sampled_from("abcx01._-/: é"), min_size=1, max_size=6).filter(lambda word: word.strip() != "")
SECONDS = st.integers(0, 10**6) | st.sampled_from(["5m", "1h30m", "1500ms", "0.25s", "7us", "1d"])
FLAG = st.booleans()
LEAF = st.none() | FLAG | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)
OBJECT = st.dictionaries(TEXT.filter(lambda name: name != "model"), JSON, max_size=3)
PLACES = st.sampled_from(
    ["serve --port ${PORT}", "# no\nserve ${PORT}\n", "a 'b c' \\\n  ${PORT}", "${PORT} --x=yes  "]
)


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    """Any of these keys."""
    return st.fixed_dictionaries({}, optional=keys)


TIMEOUTS = some(connect=SECONDS, keepalive=st.integers(-5, 90), responseHeader=SECONDS, idleConn=SECONDS)
MODEL = st.builds(
    lambda cmd, rest: {"cmd": cmd, **rest},
    PLACES,
    some(
        cmdStop=st.sampled_from(["docker stop x", "kill ${PID}"]),
        proxy=st.sampled_from(["http://localhost:${PORT}/base", "http://127.0.0.1:9"]),
        checkEndpoint=st.sampled_from(["none", "/v1/models", " /x "]),
        ttl=SECONDS,
        unloadTimeout=SECONDS,
        healthCheckTimeout=st.integers(15, 900),
        sendLoadingState=FLAG,
        env=st.lists(WORD.map(lambda word: f"N={word}"), max_size=2),
        name=TEXT,
        description=TEXT,
        unlisted=FLAG,
        useModelName=TEXT,
        concurrencyLimit=st.integers(0, 9),
        seats=st.integers(0, 9),
        loadLimit=st.sampled_from([0, 30, "1h"]),
        stallTimeout=st.sampled_from([0, 30, "1h"]),
        queueLimit=st.integers(0, 9),
        queueTimeout=SECONDS,
        pin=FLAG,
        private=FLAG,
        drainOnAbort=FLAG,
        filters=some(stripParams=st.sampled_from(["a, b.c", "x"]), setParams=OBJECT),
        metadata=OBJECT,
        timeouts=TIMEOUTS,
        compat=some(ignoreWebsockets=FLAG, holdWebsockets=FLAG),
        capabilities=some(tools=FLAG, reranker=FLAG, context=st.integers(0, 9), out=st.just(["text", "audio"])),
    ),
)

RULE = st.fixed_dictionaries(
    {"warning": st.integers(0, 90), "critical": st.sampled_from([0, 90, 100])}, optional={"duration": SECONDS}
)
HOOK = st.builds(
    lambda rest: {"kind": "webhook", "url": "https://h/x", **rest},
    some(secret=TEXT, headers=st.just({"A": "b"}), least=st.sampled_from(["warning", "critical"])),
)
MAIL = st.builds(
    lambda rest: {"kind": "email", "host": "h", "to": ["a@b"], "from": "c@d", **rest},
    some(port=st.integers(1, 65535), tls=st.sampled_from(["tls", "starttls"]), username=TEXT, password=TEXT),
)
ALERTS = some(
    disabled=FLAG,
    every=st.integers(1, 99),
    window=st.integers(1, 999),
    calm=SECONDS,
    margin=st.integers(0, 90),
    cpu_usage=RULE,
    restarts=RULE,
    receivers=some(hook=HOOK, mail=MAIL),
)

SETTINGS = some(
    alerts=ALERTS,
    healthCheckTimeout=st.integers(15, 999),
    globalTTL=SECONDS,
    unloadTimeout=SECONDS,
    startPort=st.integers(1, 60000),
    sendLoadingState=FLAG,
    logLevel=st.sampled_from(["debug", "error"]),
    logToStdout=st.sampled_from(["both", "none"]),
    logTimeFormat=st.sampled_from(["kitchen", "rfc3339"]),
    includeAliasesInList=FLAG,
    apiKeys=st.lists(st.sampled_from(["sk-1", "key-of-somebody"]), max_size=2),
    allowedHosts=st.lists(st.just("box.example"), max_size=1),
    maxBodySize=st.integers(1, 10**9),
    patience=st.sampled_from([0, 0.5, 30, "2m"]),
    limits=some(connections=st.integers(0, 9), uploadStall=SECONDS, readerStall=SECONDS, drain=SECONDS),
    crashLimit=some(failures=st.integers(0, 9), window=st.integers(1, 900), retry=st.sampled_from([1, "1m"])),
    loadLimit=st.sampled_from([0, 30, "1h"]),
    stallTimeout=st.sampled_from([0, 30, "1h"]),
    queueLimit=st.integers(0, 9),
    queueTimeout=SECONDS,
    minResidency=st.sampled_from([0, 0.5, "2m"]),
    holdLoad=st.sampled_from([0, 0.5, "2m"]),
    evictOnOutOfMemory=FLAG,
    heartbeat=st.sampled_from([0, 1, "2m"]),
    fairBetween=st.sampled_from(["callers", "sessions", "nobody"]),
    metricsMaxInMemory=st.integers(-1, 5000),
    captureBuffer=st.integers(-1, 50),
    store=st.just({"path": "requests.db"}),
    upstream=some(
        ignorePaths=st.lists(st.sampled_from(["^/a", r"\.js$"]), max_size=2),
        quietPaths=st.lists(st.sampled_from(["^/a", "^/props$"]), max_size=2),
    ),
    ui=some(activity=some(session_id=st.lists(st.just("X-S"), max_size=1))),
    performance=some(
        disabled=FLAG, every=st.sampled_from(["5s", "1m30s", "5.5s"]), gpus=st.sampled_from(["auto", "none", "amd"])
    ),
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    ids = draw(st.lists(WORD, max_size=5, unique=True))
    document: Document = {"models": {name: draw(MODEL) for name in ids}, **draw(SETTINGS)}
    for number, name in enumerate(ids):
        if draw(FLAG):
            document["models"][name]["aliases"] = [f"alias {number}"]
        if draw(FLAG):
            rules = {name: draw(OBJECT), f"{number}:own": draw(OBJECT)}
            document["models"][name].setdefault("filters", {})["setParamsByID"] = rules
    peers = draw(st.sampled_from([[], ["far"], ["far", "further"]]))
    document["peers"] = {
        peer: {
            "proxy": f"http://{peer}",
            "models": [f"{peer} model", "both"],
            "apiKey": draw(TEXT),
            "timeouts": draw(TIMEOUTS),
        }
        for peer in peers
    }
    document["selectors"] = {f"sel {name}": selector(draw, name) for name in ids[:2]}
    pins = {f"pin {number}": draw(st.sampled_from([*ids, ""])) for number in range(draw(st.integers(1, 2)))}
    document["profiles"] = {"day": {"pins": pins, "description": draw(TEXT)}}
    document["hooks"] = {"on_startup": {"preload": draw(st.lists(st.sampled_from(ids), max_size=2)) if ids else []}}
    priority = {name: draw(st.integers(-5, 5)) for name in ids[:2]}
    document["routing"] = {"scheduler": {"settings": {"fifo": {"priority": priority}}}}
    return document | together(draw, ids)


def selector(draw: st.DrawFn, target: str) -> Document:
    strategy = draw(st.sampled_from(["pin", "warm", "spillover"]))
    return {"strategy": strategy, "targets": [target], "metadata": draw(OBJECT), "unlisted": draw(FLAG)}


def together(draw: st.DrawFn, ids: list[str]) -> Document:
    """Groups, a matrix, or neither."""
    kind = draw(st.sampled_from(["groups", "matrix", "neither"])) if ids else "neither"
    if kind == "groups":
        flags = some(swap=FLAG, exclusive=FLAG, persistent=FLAG)
        return {"groups": {f"group {name}": {"members": [name], **draw(flags)} for name in ids[:3]}}
    if kind == "matrix":
        short = {f"v{number}": name for number, name in enumerate(ids)}
        sets = {"s": " | ".join(short), "t": " & ".join(short), "u": "+s & v0"}
        return {"matrix": {"vars": short, "sets": sets, "evict_costs": {"v0": draw(st.integers(1, 9))}}}
    return {}
