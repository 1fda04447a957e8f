"""Load a model in a running server, and wait until it is ready."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from llamaswap_py.cli.terminal import client, flags
from llamaswap_py.cli.terminal.flags import Usage

USAGE = Usage(
    "llamaswap load MODEL [flags]",
    "Load a model in a running server, and wait until it is ready. What must make room is stopped.",
    client.FLAGS,
)


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    if len(words.rest) != 1:
        print(f"Name one model.\n\n{USAGE}", file=sys.stderr)
        return 2
    model = words.rest[0]
    try:
        client.server(words).ask("POST", client.path_of("load", model))
    except client.Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"{model} is loaded.")
    return 0
