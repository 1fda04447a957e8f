"""The `llamaswap` command: hand the words that were typed to the command they name, and nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from llamaswap_py.cli.terminal import commands


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 it failed, 2 it was misspelt. Flags without a command are those of `serve`."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    name = words.pop(0) if words and not words[0].startswith("-") else "serve"
    if name not in commands.names():
        print(
            f"llamaswap: there is no command '{name}'. The commands are: {', '.join(commands.names())}", file=sys.stderr
        )
        return 2
    try:
        status = int(import_module(f"llamaswap_py.cli.{name}").main(words))
        if sys.stdout is not None:  # as it is where it was closed before we began
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough, as in `llamaswap ps | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the last flush finds a reader
        return 1
    except KeyboardInterrupt:  # while it waits, as for a load; no more is to be said
        return 130  # as shells have it: 128 and the number of the signal
    return status


if __name__ == "__main__":
    sys.exit(main())
