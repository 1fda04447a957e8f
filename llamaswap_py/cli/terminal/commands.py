"""Which commands there are: the files of `cli/`, each with its caption. The listing is the only register."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

from llamaswap_py.cli.terminal.flags import Usage

FOLDER = Path(__file__).parents[1]


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def caption(name: str) -> str:
    """The first line of the command's docstring, read without running the command's imports."""
    text = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text("utf-8"))) or ""
    return text.partition("\n")[0]


def usage(name: str) -> Usage:
    """A command has its usage as a value, or as a function where it is put together."""
    module = import_module(f"llamaswap_py.cli.{name}")
    found = module.usage() if hasattr(module, "usage") else module.USAGE
    assert isinstance(found, Usage)
    return found


def listing() -> str:
    return "\n".join(f"  {name:<10} {caption(name)}" for name in names())
