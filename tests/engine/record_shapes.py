"""Writes down how a compiled llama-server answers: `python -m tests.engine.record_shapes /path/to/llama-server`.

One file a build, in `shapes/`; where no compiled one is at hand, the included engine is compared with the newest.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.engine.questions import ask_all, write_models
from tests.engine.shape import Shape
from tests.whole.program import ROOT

FOLDER = Path(__file__).parent / "shapes"


@dataclass(frozen=True, slots=True)
class Record:
    flags: list[str]
    answers: dict[str, Shape]


def build_of(server: str) -> int:
    done = subprocess.run([server, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"build (\d+)", done.stdout + done.stderr)
    assert found, f"{server} --version names no build"
    return int(found[1])


def flags_of(server: Sequence[str]) -> list[str]:
    """As `--help` lists them, at the beginning of a line."""
    done = subprocess.run([*server, "--help"], capture_output=True, text=True, check=True, cwd=ROOT)
    names = re.findall(r"^(?:--?[a-zA-Z][\w-]*(?:,\s*|\s|$))+", done.stdout + done.stderr, re.MULTILINE)
    return sorted({flag.rstrip(",") for line in names for flag in line.split()})


def newest() -> Record:
    """Of the newest build that is written down."""
    paths = sorted(FOLDER.glob("b*.json"), key=lambda path: int(path.stem[1:]))
    read = json.loads(paths[-1].read_text("utf-8"))
    return Record(read["flags"], read["answers"])


def write(build: int, flags: list[str], answers: dict[str, Shape]) -> Path:
    """A line for each answer, so that a change of one is seen as that."""
    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(each, sort_keys=True)}" for name, each in answers.items())
    path = FOLDER / f"b{build}.json"
    head = f'  "llama-server": "build {build}",\n  "flags": {json.dumps(flags)}'
    path.write_text(f'{{\n{head},\n  "answers": {{\n{lines}\n  }}\n}}\n', "utf-8")
    return path


def main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    server = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        write_models(Path(name))
        path = write(build_of(server), flags_of([server]), ask_all(Path(name), {"LLAMA_SERVER": server}))
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
