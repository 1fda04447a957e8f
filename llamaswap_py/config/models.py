"""The models of a configuration: their macros filled in, their fields checked, their names given out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from llamaswap_py.config.command import argv, uses_port, without_comments
from llamaswap_py.config.fields import Fields
from llamaswap_py.config.macros import PORT, USE, Filling, Left, Leftovers, Macros, declared, effective, fill
from llamaswap_py.config.report import Report, closest
from llamaswap_py.config.rules import read_filters, read_timeouts
from llamaswap_py.config.schema import MODALITIES
from llamaswap_py.config.settings import read_check_timeout
from llamaswap_py.config.tree import Map, Node, Place, Scalar, at, inside
from llamaswap_py.config.values import COMFYUI, Capabilities, Model

SECTION = "models.*"
PAGE = 50  # callers at once that a browser showing ComfyUI's page may make, as in llama-swap


class Draft(msgspec.Struct, frozen=True):
    """One model's mapping with its macros filled in."""

    id: str
    place: Place  # of its id
    fields: Fields
    extra_names: Mapping[str, Place]  # keys of filters.setParamsByID, each of which is a name of the model


def prepare(model_id: str, place: Place, node: Node, common: Macros, report: Report) -> Draft:
    path = inside("models", model_id)
    written = node.entries if isinstance(node, Map) else {}
    own = declared(written["macros"], inside(path, "macros"), report) if "macros" in written else {}
    macros = effective(model_id, common, own)
    filling = Filling(macros)
    bare = filling.fill(without_macros(node), path)
    entries = bare.entries if isinstance(bare, Map) else {}
    with_port = may_use_port(entries.get("cmd"))
    if filling.left:
        check_leftovers(filling.left, path, with_port, macros, report)
    rules = at(entries.get("filters"), "setParamsByID")
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
    entries = dict(node.entries)
    entries.pop("macros", None)
    for name in ("cmd", "cmdStop"):
        value = entries.get(name)
        if value and isinstance(value, Scalar) and isinstance(value.value, str) and "#" in value.value:
            entries[name] = replace(value, value=without_comments(value.value))
    return Map(entries, node.keys, node.place)


def check_leftovers(left: Left, path: str, with_port: bool, macros: Macros, report: Report) -> None:
    port = {"PORT"} if with_port else set()
    stop, proxy = inside(path, "cmdStop"), inside(path, "proxy")

    def allowed(key: str) -> Collection[str]:
        if key == proxy:  # has a sentence of its own
            return {"PORT"}
        return port | {"PID"} if key == stop else port

    Leftovers(report, macros, allowed).tell(left)


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


def read_model(draft: Draft, usual: Model) -> Model:
    """`usual` is a model that says nothing itself."""
    fields = draft.fields
    if fields.node is None:  # `name:` with nothing below it
        message = "the model is empty and cannot be started"
        fields.report.warn(draft.place, fields.path, message, "Give it a `cmd`.")
        fields = Fields(Map({}, {}, draft.place), SECTION, fields.path, fields.report)
        return replace(described(draft.id, fields, usual), cmd="", proxy="")
    model = described(draft.id, fields, usual)
    if isinstance(fields.get("cmd"), Scalar | None):
        check_command(fields, model)
        check_proxy(fields, model)
    check_env(fields, model)
    return model


Take = Callable[[Fields, str], object]


def stripped(fields: Fields, name: str) -> str:
    text: str = fields.value(name)
    return text.strip()


def command(fields: Fields, name: str) -> str:
    """A macro may have brought comments."""
    return without_comments(fields.value(name))


def no_limit_at_0(fields: Fields, name: str) -> int | None:
    return fields.value(name) or None


def else_shared(fields: Fields, name: str) -> object:
    return fields.value(name) or UNSET


def shared_if_null(fields: Fields, name: str) -> object:
    value = fields.value(name)
    return UNSET if value is None else value


def shared_if_negative(fields: Fields, name: str) -> object:
    value: float = fields.value(name)
    return UNSET if value < 0 else value


def limit(fields: Fields, name: str) -> int | None:
    """llama-swap takes 0 and less as its default; ours is no limit."""
    value: int | None = fields.value(name)
    if value is not None and value < 0:
        fields.warn(name, "a limit below 0 means no limit", "Remove it, or write the number of callers.")
    return None if value is None or value <= 0 else value


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


def below(read: Callable[[Fields], object]) -> Take:
    """What stands in the mapping under the key."""
    return lambda fields, name: read(fields.child(name))


# The field of a model that each key fills, and how its value is taken; UNSET is what all models share.
TAKES: Mapping[str, tuple[str, Take]] = {
    "cmd": ("cmd", command),
    "cmdStop": ("cmd_stop", command),
    "proxy": ("proxy", Fields.value),
    "checkEndpoint": ("check_endpoint", stripped),
    "healthCheckTimeout": ("health_check_timeout", lambda fields, _: read_check_timeout(fields) or UNSET),
    "loadLimit": ("load_limit", shared_if_null),
    "stallTimeout": ("stall_timeout", shared_if_null),
    "ttl": ("ttl", shared_if_negative),
    "unloadTimeout": ("unload_timeout", else_shared),
    "sendLoadingState": ("send_loading_state", shared_if_null),
    "env": ("env", Fields.value),
    "aliases": ("aliases", Fields.value),
    "name": ("name", stripped),
    "description": ("description", stripped),
    "unlisted": ("unlisted", Fields.value),
    "useModelName": ("use_model_name", Fields.value),
    "concurrencyLimit": ("concurrency_limit", limit),
    "seats": ("seats", no_limit_at_0),
    "queueLimit": ("queue_limit", no_limit_at_0),
    "queueTimeout": ("queue_timeout", shared_if_null),
    "pin": ("pin", Fields.value),
    "private": ("private", Fields.value),
    "drainOnAbort": ("drain_on_abort", Fields.value),
    "filters": ("filters", below(read_filters)),
    "metadata": ("metadata", else_shared),
    "timeouts": ("timeouts", below(read_timeouts)),
    "capabilities": ("capabilities", below(read_capabilities)),
}


def described(model_id: str, fields: Fields, usual: Model) -> Model:
    """As its keys say. Of the many there are a model writes a few, and only for those it is asked."""
    said: dict[str, Any] = {"id": model_id}
    for name in fields.entries:
        if name in TAKES:
            field, take = TAKES[name]
            value = take(fields, name)
            if value is not UNSET:
                said[field] = value
    if "compat" in fields.entries:
        compat = fields.child("compat")
        said["hold_websockets"] = compat.value("holdWebsockets")
        said["ignore_websockets"] = compat.value("ignoreWebsockets")
    model = replace(usual, **said)
    return as_comfyui(model) if model_id == COMFYUI else model


def as_comfyui(model: Model) -> Model:
    """Its page holds a websocket open and asks for much at once."""
    callers = model.concurrency_limit
    return replace(model, ignore_websockets=True, concurrency_limit=callers and max(callers, PAGE))


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
    if "proxy" not in fields.entries:
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
