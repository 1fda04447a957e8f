"""The program as a whole, in this process: its route table is the one that docs/api.md describes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from llamaswap_py.daemon.options import Options
from llamaswap_py.daemon.program import Program
from llamaswap_py.server.doors import Door, Kind

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
ROW = re.compile(r"^\| `(\S+) (\S+)` \| (\w+) \|", re.MULTILINE)
PLACEHOLDER = re.compile(r"\{(\w+):[^}]+\}")


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[list[Door]]:
    config = tmp_path / "config.yaml"
    config.write_text("models: {}\n")
    program = Program(Options(config=str(config), listen="127.0.0.1:0", state_dir=str(tmp_path / "state")))
    serving = asyncio.create_task(program.serve())
    await program.serving.wait()
    yield program.house.table
    program.stop()
    await serving
    structlog.reset_defaults()


def written(door: Door) -> tuple[str, str]:
    return door.method, PLACEHOLDER.sub(r"{\1}", door.path)


async def test_every_route_is_described_with_its_kind_and_no_other(table: list[Door]) -> None:
    described = {(method, path): kind for method, path, kind in ROW.findall(PAGE.read_text("utf-8"))}
    kinds = {Kind.OPEN: "open", Kind.MODEL: "model", Kind.CONTROL: "control"}
    assert described == {written(door): kinds[door.kind] for door in table}


async def test_no_door_hangs_twice(table: list[Door]) -> None:
    places = [written(door) for door in table]
    assert sorted(places) == sorted(set(places))
