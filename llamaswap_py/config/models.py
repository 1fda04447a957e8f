"""The models of a configuration: their macros filled in, their fields checked, their names given out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from llamaswap_py.config.command import argv, uses_port, without_comments
from llamaswap_py.config.fields import Fields
from llamaswap_py.config.macros import PORT, USE, Leftovers, Macros, declared, effective, expand, fill
from llamaswap_py.config.report import Report, closest
from llamaswap_py.config.rules import read_filters, read_timeouts
from llamaswap_py.config.schema import MODALITIES
from llamaswap_py.config.settings import read_check_timeout
from llamaswap_py.config.tree import Map, Node, Place, Scalar, at, inside
from llamaswap_py.config.values import COMFYUI, NOTHING, Capabilities, Model

SECTION = "models.*"
PAGE = 50  # callers at once that a browser showing ComfyUI's page may make, as in llama-swap


class Draft(msgspec.Struct, frozen=True):
    """One model's mapping with its macros filled in."""

    id: str
    place: Place  # of its id
    fields: Fields
    extra_names: Mapping[str, Place]  # keys of filters.setParamsByID, each of which is a name of the model


class Inherited(msgspec.Struct, frozen=True):
    """What a model takes from the document where it says nothing itself."""

    ttl: float
    unload_timeout: float
    health_check_timeout: float
    send_loading_state: bool
    load_limit: float
    stall_timeout: float
    queue_timeout: float


def prepare(model_id: str, place: Place, node: Node, common: Macros, report: Report) -> Draft:
    path = inside("models", model_id)
    own = declared(at(node, "macros"), inside(path, "macros"), report)
    macros = effective(model_id, common, own)
    bare = expand(without_macros(node), macros)
    with_port = may_use_port(at(bare, "cmd"))
    check_leftovers(bare, path, with_port, macros, report)
    rules = at(bare, "filters", "setParamsByID")
    if not isinstance(rules, Map):
        return Draft(model_id, place, Fields(bare, SECTION, path, report), {})
    named = expand_names(rules, inside(path, "filters.setParamsByID"), with_port, macros, report)
    bare = with_rules(bare, named)
    return Draft(model_id, place, Fields(bare, SECTION, path, report), named.keys)


def with_rules(node: Node, rules: Map) -> Node:
    """The model with other `filters.setParamsByID`."""
    assert isinstance(node, Map)
    filters = node.entries["filters"]
    assert isinstance(filters, Map)
    filters = replace(filters, entries={**filters.entries, "setParamsByID": rules})
    return replace(node, entries={**node.entries, "filters": filters})


def may_use_port(cmd: Node | None) -> bool:
    """True for a cmd that is no text too: that is one mistake, told elsewhere."""
    if isinstance(cmd, Scalar):
        return isinstance(cmd.value, str) and PORT in cmd.value
    return cmd is not None


def without_macros(node: Node) -> Node:
    """Comment lines in commands go before macros are filled in, so that a macro named only there is not missed."""
    if not isinstance(node, Map):
        return node
    entries = {name: value for name, value in node.entries.items() if name != "macros"}
    for name in ("cmd", "cmdStop"):
        value = entries.get(name)
        if isinstance(value, Scalar) and isinstance(value.value, str):
            entries[name] = replace(value, value=without_comments(value.value))
    return replace(node, entries=entries)


def check_leftovers(node: Node, path: str, with_port: bool, macros: Macros, report: Report) -> None:
    port = {"PORT"} if with_port else set()
    stop, proxy = inside(path, "cmdStop"), inside(path, "proxy")

    def allowed(key: str) -> Collection[str]:
        if key == proxy:  # has a sentence of its own
            return {"PORT"}
        return port | {"PID"} if key == stop else port

    Leftovers(report, macros, allowed).check(node, path)


def expand_names(rules: Map, path: str, with_port: bool, macros: Macros, report: Report) -> Map:
    """The one mapping in whose keys macros are filled in: each key is a name of the model."""
    entries: dict[str, Node] = {}
    keys: dict[str, Place] = {}
    for written, place in rules.keys.items():
        name = str(fill(written, macros))
        for unknown in USE.findall(name):
            if not (with_port and unknown == "PORT"):
                report.wrong(place, path, f"unknown macro ${{{unknown}}}", f"Declare `{unknown}` under `macros:`.")
        if name in entries:
            report.wrong(place, path, f"two keys come out as `{name}`", "Remove one of the two.")
        entries[name], keys[name] = rules.entries[written], place
    return Map(entries, keys, rules.place)


def read_model(draft: Draft, inherited: Inherited) -> Model:
    fields = draft.fields
    if fields.node is None:  # `name:` with nothing below it
        message = "the model is empty and cannot be started"
        fields.report.warn(draft.place, fields.path, message, "Give it a `cmd`.")
        fields = Fields(Map({}, {}, draft.place), SECTION, fields.path, fields.report)
        return replace(described(draft.id, fields, inherited), cmd="", proxy="")
    model = described(draft.id, fields, inherited)
    if isinstance(fields.get("cmd"), Scalar | None):
        check_command(fields, model)
        check_proxy(fields, model)
    check_env(fields, model)
    return model


def described(model_id: str, fields: Fields, inherited: Inherited) -> Model:
    """As its keys say."""
    ttl, loading = fields.value("ttl"), fields.value("sendLoadingState")
    waits = fields.value("queueTimeout")
    return Model(
        id=model_id,
        cmd=without_comments(fields.value("cmd")),  # a macro may have brought some
        cmd_stop=without_comments(fields.value("cmdStop")),
        proxy=fields.value("proxy"),
        check_endpoint=fields.value("checkEndpoint").strip(),
        ttl=inherited.ttl if ttl < 0 else ttl,
        unload_timeout=fields.value("unloadTimeout") or inherited.unload_timeout,
        env=fields.value("env"),
        aliases=tuple(name for name in fields.value("aliases") if name),
        name=fields.value("name").strip(),
        description=fields.value("description").strip(),
        unlisted=fields.value("unlisted"),
        use_model_name=fields.value("useModelName"),
        concurrency_limit=limit(model_id, fields),
        seats=fields.value("seats") or None,
        queue_limit=fields.value("queueLimit") or None,
        queue_timeout=inherited.queue_timeout if waits is None else waits,
        pin=fields.value("pin"),
        private=fields.value("private"),
        drain_on_abort=fields.value("drainOnAbort"),
        filters=read_filters(fields.child("filters")),
        metadata=fields.value("metadata") or NOTHING,
        capabilities=read_capabilities(fields.child("capabilities")),
        timeouts=read_timeouts(fields.child("timeouts")),
        hold_websockets=fields.child("compat").value("holdWebsockets"),
        ignore_websockets=fields.child("compat").value("ignoreWebsockets") or model_id == COMFYUI,
        send_loading_state=inherited.send_loading_state if loading is None else loading,
        health_check_timeout=read_check_timeout(fields) or inherited.health_check_timeout,
        load_limit=own(fields.value("loadLimit"), inherited.load_limit),
        stall_timeout=own(fields.value("stallTimeout"), inherited.stall_timeout),
    )


def own(value: float | None, shared: float) -> float:
    return shared if value is None else value


def limit(model_id: str, fields: Fields) -> int | None:
    """llama-swap takes 0 and less as its default; ours is no limit."""
    value: int | None = fields.value("concurrencyLimit")
    if value is not None and value < 0:
        fields.warn("concurrencyLimit", "a limit below 0 means no limit", "Remove it, or write the number of callers.")
    if value is None or value <= 0:
        return None
    return max(value, PAGE) if model_id == COMFYUI else value


def read_capabilities(fields: Fields) -> Capabilities:
    for name in ("in", "out"):
        for number, word in enumerate(fields.value(name)):
            if word not in MODALITIES:
                item = at(fields.get(name), number)
                place = item.place if item else fields.place(name)
                near = closest(word, MODALITIES)
                remedy = f"Did you mean {near[0]}?" if near else f"Write one of {', '.join(MODALITIES)}."
                message = f"this must be one of {', '.join(MODALITIES)}, and it is `{word}`"
                fields.report.wrong(place, f"{fields.path}.{name}[{number}]", message, remedy)
    return Capabilities(
        inputs=fields.value("in"),
        outputs=fields.value("out"),
        tools=fields.value("tools"),
        reranker=fields.value("reranker"),
        context=fields.value("context"),
    )


def check_command(fields: Fields, model: Model) -> None:
    if argv(model.cmd):
        return
    if PORT in model.proxy:
        fields.wrong("cmd", "the model has no command", "Give it a `cmd` that uses ${PORT}.")
    else:
        fields.warn("cmd", "the model has no command and cannot be started", "Give it a `cmd`.")


def check_proxy(fields: Fields, model: Model) -> None:
    if PORT in model.proxy and not uses_port(model):
        if argv(model.cmd):
            remedy = "Use ${PORT} in cmd, or set proxy to the address at which the command listens."
            fields.wrong("proxy" if fields.get("proxy") else "cmd", "proxy uses ${PORT} but cmd does not", remedy)
        return
    remedy = "Write it as http://host:port."
    try:
        address = urlsplit(model.proxy.replace(PORT, "1"))
        port = address.port
    except ValueError as error:
        fields.wrong("proxy", f"this is not an address: {error}", remedy)
        return
    if address.scheme not in ("http", "https") or not address.hostname or port == 0:
        fields.warn("proxy", f"nothing can be reached at `{model.proxy}`", remedy)


def check_env(fields: Fields, model: Model) -> None:
    for number, entry in enumerate(model.env, 1):
        if "=" not in entry.lstrip("="):  # not quoted: it may be a value alone, and a secret one
            fields.warn("env", f"entry {number} sets nothing", "Write NAME=value.")
