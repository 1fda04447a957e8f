"""Show which models a running server has up."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from llamaswap_py.cli.terminal import client, flags
from llamaswap_py.cli.terminal.flags import Flag, Usage
from llamaswap_py.cli.terminal.tables import table

USAGE = Usage(
    "llamaswap ps [flags]",
    "Show which models a running server has up, starting or stopping, and which have failed.",
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
    print(json.dumps(answer, indent=2) if "json" in words.switches else shown(answer))
    return 0


def shown(answer: Any) -> str:
    rows = answer.get("running") if isinstance(answer, dict) else None
    if not rows:
        return "No model is up."
    return table(COLUMNS, [[row.get(name, "") for name in COLUMNS] for row in rows])
