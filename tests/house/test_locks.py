"""The lock files say exactly what is installed, from wherever it comes, and fit pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def versions(lock: str) -> dict[str, str]:
    found = map(PINNED.match, (ROOT / lock).read_text("utf-8").splitlines())
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def group(name: str) -> list[str]:
    members: list[str] = []
    for entry in pyproject()["dependency-groups"][name]:
        members += group(entry["include-group"]) if isinstance(entry, dict) else [entry]
    return members


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_has_an_exact_version_and_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        assert PINNED.match(line), line
        assert re.search(r" --hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize(("lock", "groups"), [(LOCKS[0], ["build"]), (LOCKS[1], ["build", "dev"])])
def test_what_pyproject_wants_is_locked_at_a_version_that_it_allows(lock: str, groups: list[str]) -> None:
    locked = versions(lock)
    wanted = pyproject()["project"]["dependencies"] + [entry for name in groups for entry in group(name)]
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in {lock}: run scripts/lock.sh"
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}: run scripts/lock.sh"


def test_the_dev_lock_holds_the_runtime_lock() -> None:
    assert versions(LOCKS[0]).items() <= versions(LOCKS[1]).items()


def test_the_build_backend_is_locked_too() -> None:
    requires = {Requirement(entry).name for entry in pyproject()["build-system"]["requires"]}
    assert requires == {Requirement(entry).name for entry in group("build")}
