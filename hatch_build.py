"""The package's build makes the page: a wheel carries it built, a source distribution carries what it is made of."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def building(root: str) -> ModuleType:
    """By its place: the package itself cannot be imported yet."""
    spec = importlib.util.spec_from_file_location("page_building", Path(root) / "llamaswap_py" / "ui" / "building.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class PageHook(BuildHookInterface):  # type: ignore[type-arg, unused-ignore]
    def dependencies(self) -> list[str]:
        page = building(self.root)
        return [] if page.on_path() else [page.WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":  # installed in place the program makes the page itself, once it serves
            building(self.root).build(self.app.display_info)
