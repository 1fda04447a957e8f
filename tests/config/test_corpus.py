"""Files that real people run, read as llama-swap reads them. The files live outside the repository."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from llamaswap_py.config.read import Source, read
from llamaswap_py.config.report import Report
from llamaswap_py.config.show import values
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
    shown = values(config)
    for part in ("models", "peers"):
        assert shown[part].keys() == (wanted[part] or {}).keys()
    for name, fields in wanted["models"].items():
        model = shown["models"][name]
        model["aliases"].sort()
        same(model, wanted_fields(fields, own.get(name)), name)
    for name, peer in (wanted["peers"] or {}).items():
        same(shown["peers"][name], peer, name)
    same(shown["globals"], wanted["globals"], "globals")
    for group in shown["groups"].values():
        group["members"].sort()
    rest = {name: value for name, value in wanted.items() if name not in ("models", "peers", "globals")}
    same(shown, rest | {"groups": wanted_groups(wanted["groups"])}, "")


def same(shown: dict[str, Any], wanted: dict[str, Any], where: str) -> None:
    """More may be shown beside what is wanted, but not within it."""
    found = {name: shown.get(name) for name in wanted}
    assert plain(found) == plain(wanted), where


def test_the_differences_are_told_where_somebody_moving_looks() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "moving-from-llama-swap.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in (OWN_CHECK_TIMEOUT, UNKNOWN_MEMBER))
