"""List the models that a running server offers."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from llamaswap_py.cli.terminal import client, flags
from llamaswap_py.cli.terminal.flags import Flag, Usage
from llamaswap_py.cli.terminal.tables import table

USAGE = Usage(
    "llamaswap list [flags]",
    "List the models that a running server offers: whether they are up, their other names, and what they are.",
    (Flag("json", "print the server's answer as it is"), *client.FLAGS),
)
COLUMNS = ("model", "state", "aliases", "description")


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    try:
        server = client.server(words)
        answer = server.ask("GET", "/v1/models")
        if "json" in words.switches:
            print(json.dumps(answer, indent=2, ensure_ascii=False))
            return 0
        running = server.ask("GET", "/running")
    except client.Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(shown(rows_in(answer, "data"), rows_in(running, "running")))
    return 0


def rows_in(answer: Any, key: str) -> list[dict[str, Any]]:
    rows = answer.get(key) if isinstance(answer, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def shown(models: Sequence[dict[str, Any]], running: Sequence[dict[str, Any]]) -> str:
    states = {row.get("model"): str(row.get("state", "")) for row in running}
    rows = [line(model, states) for model in models if about(model).get("type") != "alias"]
    return table(COLUMNS, rows) if rows else "The server offers no model."


def line(model: dict[str, Any], states: dict[Any, str]) -> tuple[str, str, str, str]:
    """The list knows two states; what is up says more of itself."""
    status = model.get("status")
    value = status.get("value") if isinstance(status, dict) else None
    name = model.get("id", "")
    aliases = about(model).get("aliases")
    texts = [str(model[key]) for key in ("name", "description") if model.get(key)]
    texts += [f"found in {about(model)['discovered']}"] if about(model).get("discovered") else []
    return (
        str(name),
        states.get(name) or str(value or "-"),
        ", ".join(map(str, aliases)) if isinstance(aliases, list) else "",
        ": ".join(texts),
    )


def about(model: dict[str, Any]) -> dict[str, Any]:
    meta = model.get("meta")
    own = meta.get("llamaswap") if isinstance(meta, dict) else None
    return own if isinstance(own, dict) else {}
