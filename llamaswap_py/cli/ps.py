"""Show which models a running server has up."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from llamaswap_py.cli.terminal import client, flags
from llamaswap_py.cli.terminal.flags import Flag, Usage

USAGE = Usage(
    "llamaswap ps [flags]",
    "Show which models a running server has up, starting or stopping.",
    (Flag("json", "print the server's answer as it is"), *client.FLAGS),
)
COLUMNS = ("model", "state", "ttl", "proxy", "cmd")


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    try:
        answer = client.server(words).ask("GET", "/running")
    except client.Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(json.dumps(answer, indent=2) if "json" in words.switches else table(answer))
    return 0


def table(answer: Any) -> str:
    rows = answer.get("running") if isinstance(answer, dict) else None
    if not rows:
        return "No model is up."
    lines = [tuple(name.upper() for name in COLUMNS), *(tuple(cell(row, name) for name in COLUMNS) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(f"{text:<{w}}" for text, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def cell(row: dict[str, Any], name: str) -> str:
    """On one line: a command may have been written on several."""
    return " ".join(str(row.get(name, "")).split())
