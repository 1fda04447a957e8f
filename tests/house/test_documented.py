"""What a person can write or type is written down: every flag, command, script, and key of the configuration."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from llamaswap_py.cli import serve
from llamaswap_py.cli.terminal import commands
from llamaswap_py.cli.terminal.flags import Usage
from llamaswap_py.config import schema
from llamaswap_py.daemon.version import __version__
from llamaswap_py.engine.flags import FLASH, LOAD_SWITCHES, REMOVED

ROOT = Path(__file__).parents[2]


def documentation() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(page.read_text("utf-8") for page in pages if page.exists())


def usage_of(command: str) -> Usage:
    module = import_module(f"llamaswap_py.cli.{command}")
    usage = serve.usage() if command == "serve" else module.USAGE
    assert isinstance(usage, Usage)
    return usage


def test_the_newest_version_in_the_changelog_is_this_one() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__


@pytest.mark.parametrize("command", commands.names())
def test_every_command_is_documented(command: str) -> None:
    assert f"llamaswap {command}" in documentation()


@pytest.mark.parametrize("command", commands.names())
def test_every_command_has_a_caption_and_explains_its_flags(command: str) -> None:
    assert commands.caption(command).endswith(".")
    assert all(flag.help for flag in usage_of(command).flags)


def test_every_flag_is_documented() -> None:
    flags = {flag.name for name in commands.names() for flag in usage_of(name).flags}
    assert sorted(flag for flag in flags if not re.search(rf"--{flag}\b", documentation())) == []


def test_every_key_of_the_configuration_is_documented() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    words = {key.path: key.path.removesuffix(".*").rpartition(".")[2] for key in schema.KEYS}
    assert [path for path, word in words.items() if not re.search(rf"\b{re.escape(word)}\b", page)] == []


def test_every_old_flag_that_the_engine_translates_is_documented() -> None:
    page = (ROOT / "docs" / "engine.md").read_text("utf-8")
    assert [flag for flag in (*REMOVED, *LOAD_SWITCHES, *FLASH) if f"`{flag}`" not in page] == []


def test_every_script_is_documented() -> None:
    scripts = {path.name for path in (ROOT / "scripts").iterdir()} - {"environment.sh", "__init__.py", "__pycache__"}
    assert sorted(name for name in scripts if f"scripts/{name}" not in documentation()) == []
