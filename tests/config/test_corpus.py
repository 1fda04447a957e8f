"""Files that real people run, read as llama-swap reads them. The files live outside the repository."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from llamaswap_py.config.command import argv, render, stop_argv
from llamaswap_py.config.names import resolve
from llamaswap_py.config.read import Source, read
from llamaswap_py.config.report import Report
from llamaswap_py.config.tree import Map, Scalar, at
from llamaswap_py.config.values import Config
from llamaswap_py.config.yaml import parse
from llamaswap_py.errors import ConfigError

FOLDER = os.environ.get("LLAMASWAP_CORPUS", "")
FILES = sorted(Path(FOLDER, "configs").glob("*.yaml")) if FOLDER else []
VARIABLE = re.compile(r"\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}")

# Where ours is better on purpose. docs/moving-from-llama-swap.md tells each under the same name.
OWN_CHECK_TIMEOUT = "healthCheckTimeout"  # a model's own is honoured
UNKNOWN_MEMBER = "members"  # of a group: a mistake at once, not when the server starts

pytestmark = pytest.mark.skipif(
    not FILES, reason="set LLAMASWAP_CORPUS to the folder of configuration files to compare"
)


def expected(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.with_suffix("").with_suffix(".expected.json").read_text("utf-8"))
    return found


def configured(path: Path) -> Config:
    text = path.read_bytes().decode("utf-8")
    env = {name: f"ENV_{name}" for name in VARIABLE.findall(text)} | {"HOME": "/home/user"}
    return read([Source(path.name, text)], env).config


def model_fields(config: Config, model_id: str) -> dict[str, Any]:
    model = render(config.models[model_id], config.ports.get(model_id))
    can, times = model.capabilities, model.timeouts
    return {
        "aliases": sorted(model.aliases),
        "capabilities": {
            "context": can.context,
            "in": list(can.inputs),
            "out": list(can.outputs),
            "reranker": can.reranker,
            "tools": can.tools,
        },
        "checkEndpoint": model.check_endpoint,
        "cmd": argv(model.cmd, windows=False),
        "cmdStop": stop_argv(model.cmd_stop, 4711, windows=False),
        "concurrencyLimit": model.concurrency_limit or 0,
        "description": model.description,
        "env": list(model.env),
        "healthCheckTimeout": model.health_check_timeout,
        "metadata": thawed(model.metadata),
        "name": model.name,
        "proxy": model.proxy,
        "sendLoadingState": model.send_loading_state,
        "setParams": thawed(model.filters.set),
        "setParamsByID": thawed(model.filters.set_by_id),
        "stripParams": list(model.filters.strip),
        "timeouts": {
            "connect": times.connect,
            "idleConn": times.idle,
            "keepalive": times.keepalive,
            "responseHeader": times.response_header,
            "tlsHandshake": times.tls_handshake,
        },
        "ttl": model.ttl,
        "unlisted": model.unlisted,
        "unloadTimeout": model.unload_timeout,
        "useModelName": model.use_model_name,
    }


def thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: thawed(each) for name, each in value.items()}
    return [thawed(each) for each in value] if isinstance(value, tuple) else value


def plain(value: Any) -> Any:
    """Types told apart that Python holds equal, and `null` and what is empty taken for the same."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()} or None
    if isinstance(value, list):
        return [plain(each) for each in value] or None
    return None if value is None else (type(value) is bool, value)


def wanted_fields(model: dict[str, Any], own_timeout: float | None) -> dict[str, Any]:
    fields = dict(model)
    fields["aliases"] = sorted(fields["aliases"] or [])
    fields["cmdStop"] = [each.replace("${PID}", "4711") for each in fields["cmdStop"] or []]
    fields["name"] = fields["name"].strip()  # shown trimmed there too
    fields["description"] = fields["description"].strip()
    if own_timeout:
        fields[OWN_CHECK_TIMEOUT] = own_timeout
    return fields


def own_timeouts(path: Path) -> dict[str, float]:
    """The models that set one themselves."""
    source = Source(path.name, path.read_bytes().decode("utf-8"))
    tree = parse(source, Report([source]))
    models = at(tree, "models")
    found = {}
    for name in models.entries if isinstance(models, Map) else ():
        value = at(models, name, OWN_CHECK_TIMEOUT)
        if isinstance(value, Scalar) and isinstance(value.value, int):
            found[name] = float(value.value)
    return found


def global_fields(config: Config, wanted: dict[str, Any]) -> dict[str, Any]:
    """The two that only models hold are seen in the models."""
    return {
        "apiKeys": list(config.api_keys),
        "captureBuffer": config.capture_buffer,
        "globalTTL": wanted["globalTTL"],
        "healthCheckTimeout": config.health_check_timeout,
        "includeAliasesInList": config.include_aliases_in_list,
        "logLevel": config.log_level,
        "logTimeFormat": config.log_time_format,
        "logToStdout": config.log_to_stdout,
        "metricsMaxInMemory": config.metrics_in_memory,
        "sendLoadingState": config.send_loading_state,
        "startPort": config.start_port,
        "unloadTimeout": wanted["unloadTimeout"],
    }


def peers_of(config: Config) -> dict[str, Any]:
    return {
        peer.id: {"apiKey": peer.api_key, "models": list(peer.models), "proxy": peer.proxy}
        for peer in config.peers.values()
    }


def groups_of(config: Config) -> dict[str, Any]:
    return {
        group.id: {
            "exclusive": group.exclusive,
            "members": sorted(group.members),
            "persistent": group.persistent,
            "swap": group.swap,
        }
        for group in config.groups
    }


def wanted_groups(groups: dict[str, Any]) -> dict[str, Any]:
    return {name: group | {"members": sorted(group["members"] or [])} for name, group in groups.items()}


def strangers(wanted: dict[str, Any]) -> set[str]:
    """Group members that are no models: llama-swap loads such a file and then cannot start."""
    members = {member for group in wanted["groups"].values() for member in group["members"] or []}
    return members - set(wanted["models"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_real_file_means_what_it_means_to_llama_swap(path: Path) -> None:
    wanted = expected(path)
    if not wanted["accepted"]:
        with pytest.raises(ConfigError) as refused:
            configured(path)
        assert all(mistake.line and mistake.remedy for mistake in refused.value.mistakes)
    elif missing := strangers(wanted):
        with pytest.raises(ConfigError) as refused:
            configured(path)
        assert {mistake.message for mistake in refused.value.mistakes} == {f"there is no model `{m}`" for m in missing}
        assert all(UNKNOWN_MEMBER in mistake.key for mistake in refused.value.mistakes)
    else:
        compare(configured(path), wanted, own_timeouts(path))


def compare(config: Config, wanted: dict[str, Any], own: dict[str, float]) -> None:
    assert list(config.models) == sorted(wanted["models"], key=lambda model_id: model_id.encode())
    for model_id, fields in wanted["models"].items():
        shown = wanted_fields(fields, own.get(model_id))
        assert plain(model_fields(config, model_id)) == plain(shown), model_id
    found = {
        "accepted": True,
        "globals": global_fields(config, wanted["globals"]),
        "groups": {} if config.matrix else groups_of(config),
        "matrix_evict_costs": thawed(config.matrix.evict_costs) if config.matrix else {},
        "models": wanted["models"],
        "peers": peers_of(config),
        "preload": list(config.preload),
        "priority": thawed(config.priorities),
        "profiles": len(config.profiles),
        "resolves": {name: resolve(config, name) for name in wanted["resolves"]},
        "router": "matrix" if config.matrix else "group",
        "selectors": len(config.selectors),
    }
    assert plain(found) == plain({"matrix_evict_costs": {}, **wanted, "groups": wanted_groups(wanted["groups"])})


def test_the_differences_are_told_where_somebody_moving_looks() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "moving-from-llama-swap.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in (OWN_CHECK_TIMEOUT, UNKNOWN_MEMBER))
