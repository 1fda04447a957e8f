"""Engine: serve one model file as llama-server does, with the llama.cpp that comes with this program."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from llamaswap_py.cli.terminal.flags import Flag, Usage

USAGE = Usage(
    "llamaswap engine -m FILE.gguf [any flag of llama-server]",
    "Serve one model file as llama-server does. Flags are llama.cpp's own; --usage lists only them.",
    (
        Flag("help", "this, and llama.cpp's own list of flags"),
        Flag("usage", "that list only"),
        Flag("version", "which llama.cpp this is"),
    ),
)


def main(argv: Sequence[str]) -> int:
    if any(word in ("-h", "--help") for word in argv):
        return explain()
    from llamaswap_py.engine import program

    return program.run(argv)


def explain() -> int:
    """llama.cpp prints its list and ends the process it runs in, so it gets one of its own."""
    print(f"{USAGE}\n", flush=True)
    return subprocess.run([sys.executable, "-m", "llamaswap_py", "engine", "--usage"], check=False).returncode
