"""Engine: serve one model file as llama-server does, with the llama.cpp that comes with this program."""

from __future__ import annotations

from collections.abc import Sequence

from llamaswap_py.cli.terminal.flags import Flag, Usage

USAGE = Usage(
    "llamaswap engine -m FILE.gguf [any flag of llama-server]",
    "Serve one model file as llama-server does. Flags are llama.cpp's own; 'llamaswap engine --help' lists them.",
    (Flag("help", "llama.cpp's own list of flags"), Flag("version", "which llama.cpp this is")),
)


def main(argv: Sequence[str]) -> int:
    from llamaswap_py.engine import program

    return program.run(argv)
