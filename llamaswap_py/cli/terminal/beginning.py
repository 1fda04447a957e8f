"""`llamaswap config init`: a first configuration file from what is found."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from llamaswap_py.cli.terminal.flags import Words
from llamaswap_py.cli.terminal.sources import DEFAULT_CONFIG


def init(words: Words) -> int:
    """The models of the named folders, else of the places that are looked at without a configuration."""
    from llamaswap_py.config.values import Shelf
    from llamaswap_py.daemon.finder import Finder
    from llamaswap_py.daemon.sources import DEMO, Sources
    from llamaswap_py.library.draft import draft
    from llamaswap_py.library.files import Discovery

    output = words.value("output") or DEFAULT_CONFIG
    if output != "-" and Path(output).exists() and "force" not in words.switches:
        print(f"{output} is there already; --force overwrites it, --output names another file.", file=sys.stderr)
        return 1
    sources = Sources(None, None, words.every("models-dir"))
    finder = Finder(sources)
    named = tuple(Shelf(str(Path(word).absolute()), "") for word in words.every("models-dir"))
    finder.shelves = named or sources.shelves(os.environ)
    finder.adopt(finder.examine(()))
    found = finder.discovery or Discovery()
    shelves = [shelf.word for shelf in finder.shelves]
    status = put(draft(found.models, found.left_out, shelves, DEMO), output, len(found.models) or 1)
    if not found.models and status == 0:
        print(f"No model was found in {', '.join(shelves)}; the demonstration model stands in.", file=sys.stderr)
    return status


def put(text: str, output: str, count: int) -> int:
    if output == "-":
        sys.stdout.write(text)
        return 0
    try:
        Path(output).write_text(text, "utf-8")
    except OSError as error:
        print(f"{output} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"{output} has {count} model{'' if count == 1 else 's'} now.")
    return 0
