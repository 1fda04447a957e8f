"""What differs from llama-swap on purpose is named in one document, and what is pending exists."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.pending import PENDING
from tests.whole.program import ROOT

FOLDER = Path(__file__).parent
DOCUMENT = ROOT / "docs" / "moving-from-llama-swap.md"


def differences() -> Iterator[str]:
    """The names that stand in `differs` markers."""
    for path in sorted(FOLDER.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.differs":
                assert isinstance(node.args[0], ast.Constant)
                yield str(node.args[0].value)


@pytest.mark.parametrize("name", sorted(set(differences())))
def test_every_difference_is_in_the_document(name: str) -> None:
    """Under its name, in bold, in the section on HTTP."""
    section = DOCUMENT.read_text("utf-8").partition("\n## HTTP\n")[2].partition("\n## ")[0]
    assert f"**{name}**" in " ".join(section.split())


@pytest.mark.parametrize("case", PENDING or [None])
def test_what_is_pending_exists(case: str | None) -> None:
    """A case that was renamed does not stay on the list."""
    if case is None:
        return
    file, _, name = case.partition("::")
    tree = ast.parse((FOLDER / file).read_text("utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    assert name.partition("[")[0] in functions
