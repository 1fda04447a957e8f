"""Unload one model of a running server, or all of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from llamaswap_py.cli.terminal import client, flags
from llamaswap_py.cli.terminal.flags import Usage

USAGE = Usage(
    "llamaswap unload [MODEL] [flags]",
    "Unload one model of a running server, or all of them where none is named.",
    client.FLAGS,
)
ALL = "/api/models/unload"


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    if len(words.rest) > 1:
        print(f"Name one model, or none to unload all.\n\n{USAGE}", file=sys.stderr)
        return 2
    try:
        client.server(words).ask("POST", client.path_of("unload", words.rest[0]) if words.rest else ALL)
    except client.Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"{words.rest[0]} is unloaded." if words.rest else "All models are unloaded.")
    return 0
