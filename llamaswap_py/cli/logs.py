"""Show what a running server, or one of its models, has written to its log."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from urllib.parse import quote

from llamaswap_py.cli.terminal import client, flags
from llamaswap_py.cli.terminal.flags import Flag, Usage, Words

USAGE = Usage(
    "llamaswap logs [-f] [MODEL] [flags]",
    "Show what a running server has written to its log lately. With the name of a model, what that model's server has\n"
    "written; 'proxy' is the server's own log, 'upstream' that of all models.",
    (Flag("follow", "go on with what comes, until Ctrl-C", short="f"), *client.FLAGS),
    choices=("proxy", "upstream"),
)


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    if len(words.rest) > 1:
        print(f"Name one model, or none.\n\n{USAGE}", file=sys.stderr)
        return 2
    try:
        show(words)
    except client.Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # how following ends
        return 0
    return 0


def show(words: Words) -> None:
    """Bytes as they are: what stands between two pieces may be half a letter."""
    path = "/".join(["/logs/stream", *(quote(name, safe="/") for name in words.rest)])
    with closing(
        client.server(words).pieces("GET", path if "follow" in words.switches else f"{path}?no-follow")
    ) as log:
        for piece in log:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
