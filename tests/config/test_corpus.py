"""Files that real people run, read as llama-swap reads them. The files live outside the repository."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from llamaswap_py.config.command import argv, render, stop_argv
from llamaswap_py.config.names import resolve
from llamaswap_py.config.read import Source, read
from llamaswap_py.config.values import Config
from llamaswap_py.errors import ConfigError

FOLDER = os.environ.get("LLAMASWAP_CORPUS", "")
FILES = sorted(Path(FOLDER, "configs").glob("*.yaml")) if FOLDER else []
VARIABLE = re.compile(r"\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}")

# What the corpus says and this version does not read yet; taken out here as it is built.
LATER_MODEL = {
    "capabilities",
    "healthCheckTimeout",
    "metadata",
    "sendLoadingState",
    "setParams",
    "setParamsByID",
    "stripParams",
    "timeouts",
}
LATER_GLOBAL = {"captureBuffer", "logTimeFormat", "metricsMaxInMemory", "sendLoadingState"}
LATER_WHOLE = {"matrix_evict_costs", "peers", "priority", "profiles", "selectors"}
LATER_REFUSED = "matrix: "  # its errors begin so; such a file is accepted until the matrix is read

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
    return {
        "aliases": sorted(model.aliases),
        "checkEndpoint": model.check_endpoint,
        "cmd": argv(model.cmd, windows=False),
        "cmdStop": stop_argv(model.cmd_stop, 4711, windows=False),
        "concurrencyLimit": model.concurrency_limit or 0,
        "description": model.description,
        "env": list(model.env),
        "name": model.name,
        "proxy": model.proxy,
        "ttl": model.ttl,
        "unlisted": model.unlisted,
        "unloadTimeout": model.unload_timeout,
        "useModelName": model.use_model_name,
    }


def wanted_fields(model: dict[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in model.items() if name not in LATER_MODEL}
    fields["aliases"] = sorted(fields["aliases"] or [])
    fields["cmdStop"] = [each.replace("${PID}", "4711") for each in fields["cmdStop"] or []]
    fields["cmd"] = fields["cmd"] or []
    fields["env"] = fields["env"] or []
    fields["name"] = fields["name"].strip()  # shown trimmed there too
    fields["description"] = fields["description"].strip()
    return fields


def global_fields(config: Config, wanted: dict[str, Any]) -> dict[str, Any]:
    """The two that models inherit are seen in the models."""
    return {
        "apiKeys": list(config.api_keys) or None,
        "globalTTL": wanted["globalTTL"],
        "healthCheckTimeout": config.health_check_timeout,
        "includeAliasesInList": config.include_aliases_in_list,
        "logLevel": config.log_level,
        "logToStdout": config.log_to_stdout,
        "startPort": config.start_port,
        "unloadTimeout": wanted["unloadTimeout"],
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
    if not wanted["accepted"] and not wanted["error"].startswith(LATER_REFUSED):
        with pytest.raises(ConfigError) as refused:
            configured(path)
        assert all(mistake.line and mistake.remedy for mistake in refused.value.mistakes)
    elif wanted["accepted"] and (missing := strangers(wanted)):
        with pytest.raises(ConfigError) as refused:
            configured(path)
        assert {mistake.message for mistake in refused.value.mistakes} == {f"there is no model `{m}`" for m in missing}
    elif wanted["accepted"]:
        compare(configured(path), wanted)
    else:
        configured(path)


def compare(config: Config, wanted: dict[str, Any]) -> None:
    assert set(wanted) - LATER_WHOLE == {"accepted", "globals", "groups", "models", "preload", "resolves", "router"}
    assert list(config.models) == sorted(wanted["models"], key=lambda model_id: model_id.encode())
    for model_id, fields in wanted["models"].items():
        assert model_fields(config, model_id) == wanted_fields(fields), model_id
    shown = {name: value for name, value in wanted["globals"].items() if name not in LATER_GLOBAL}
    shown["apiKeys"] = shown["apiKeys"] or None
    assert global_fields(config, wanted["globals"]) == shown
    if wanted["router"] == "group":
        assert groups_of(config) == wanted_groups(wanted["groups"])
    assert list(config.preload) == (wanted["preload"] or [])
    assert {name: resolve(config, name) for name in wanted["resolves"]} == wanted["resolves"]
