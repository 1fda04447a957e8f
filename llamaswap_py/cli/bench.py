"""Measure models: loading, prompt and generation rate, first token, gaps, memory; compare and keep the figures."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from llamaswap_py.bench import words as spoken
from llamaswap_py.bench.kept import Shelf
from llamaswap_py.bench.report import report
from llamaswap_py.bench.values import Plan, Result, Session
from llamaswap_py.cli.terminal import benches, client, flags, ggufs
from llamaswap_py.cli.terminal.benches import Wrong
from llamaswap_py.cli.terminal.client import Failed
from llamaswap_py.cli.terminal.flags import Flag, Usage, Words
from llamaswap_py.cli.terminal.tables import table

LIST, SHOW = "list", "show"
USAGE = Usage(
    "llamaswap bench [MODEL ...] [flags] | list | show ID",
    "Measure models of a running server (ours, or any that speaks OpenAI's API), or bare GGUF files with an engine\n"
    "of their own: cold and warm load, prompt and generation rate, time to the first token, gaps between tokens and\n"
    "peak memory, at several lengths of prompt and numbers of callers. Prints a table, writes a report with charts,\n"
    "and keeps both in the state directory; 'list' shows what is kept, 'show ID' (or 'show last') one of them.",
    (
        Flag("gguf", "a model file to measure; may be given more than once", "FILE"),
        *client.FLAGS,
        Flag("prompt", "lengths of prompts in tokens (default 128,512,2048)", "N,N"),
        Flag("concurrency", "callers at once (default 1,4)", "N,N"),
        Flag("tokens", "length of each answer (default 128)", "N"),
        Flag("repeat", "how often each is measured (default 3)", "N"),
        Flag("quick", "two short prompts, one caller, once"),
        Flag("no-load", "do not measure loading: nothing is unloaded"),
        Flag("flags", "more flags for the engine of --gguf, as one text", "TEXT"),
        Flag("html", "write the report here too", "FILE"),
        Flag("json", "print values for programs"),
        Flag("state-dir", "where results are kept (else as for serving)", "DIR"),
    ),
    choices=(LIST, SHOW),
)


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    shelf = Shelf(state_of(words))
    try:
        if words.rest[:1] == (LIST,):
            return listed(shelf, words)
        session = kept(shelf, words) if words.rest[:1] == (SHOW,) else measured(shelf, words)
    except (Wrong, Failed, ggufs.Unusable) as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return told(shelf, words, session)


def state_of(words: Words) -> Path:
    import os

    from llamaswap_py.daemon.state import default_directory

    chosen = words.value("state-dir")
    return Path(chosen) if chosen else default_directory(dict(os.environ))


def measured(shelf: Shelf, words: Words) -> Session:
    plan = benches.plan_of(words)
    began, machine = time.time(), benches.machine()
    results = benches.run(words, words.rest, plan)
    stamp = datetime.fromtimestamp(began, UTC).strftime("%Y%m%d-%H%M%S")
    wanted = {cell.wanted for result in results for cell in result.cells}
    measured_plan = Plan(
        tuple(prompt for prompt in plan.prompts if prompt in wanted) or plan.prompts,
        plan.callers, plan.tokens, plan.repeats, plan.loads,
    )  # fmt: skip
    session = Session(shelf.fresh_id(stamp), began, machine, measured_plan, tuple(results))
    if any(result.cells for result in results):
        print(f"report: {shelf.keep(session, report(session, shelf.sessions()))}", file=sys.stderr)
    return session


def kept(shelf: Shelf, words: Words) -> Session:
    found = shelf.find(words.rest[1]) if len(words.rest) == 2 else None
    if found is None:
        known = ", ".join(each.id for each in shelf.sessions()[-20:]) or "none"
        raise Wrong(f"Name a benchmark that is kept, or 'last'. There are: {known}.")
    return found


def told(shelf: Shelf, words: Words, session: Session) -> int:
    earlier = shelf.sessions()
    if words.value("html"):
        Path(words.value("html") or "").write_text(report(session, earlier), "utf-8")
    if "json" in words.switches:
        print(msgspec.json.format(msgspec.json.encode(session), indent=2).decode())
    elif rows := spoken.rows(session, earlier):
        print(f"{session.machine}\n")
        print(table(spoken.MODEL_TITLES, [spoken.model_row(each) for each in session.results]))
        print(f"\n{table(spoken.TITLES, rows, right=True)}")
        print("".join(f"\n{note}\n" for note in spoken.notes(session)), end="")
    else:
        print("\n".join(spoken.notes(session)), file=sys.stderr)
    return 0 if all(is_measured(result) for result in session.results) else 1


def is_measured(result: Result) -> bool:
    return not result.trouble and any(cell.answers for cell in result.cells)


def listed(shelf: Shelf, words: Words) -> int:
    sessions = shelf.sessions()
    if "json" in words.switches:
        print(msgspec.json.format(msgspec.json.encode(sessions), indent=2).decode())
        return 0
    rows = [
        (
            each.id,
            ", ".join(result.name for result in each.results),
            ", ".join(spoken.rate(max((cell.speed for cell in result.cells), default=0)) for result in each.results),
            str(shelf.folder / f"{each.id}.html"),
        )
        for each in sessions
    ]
    print(table(("id", "models", "best t/s", "report"), rows) if rows else "Nothing was measured yet.")
    return 0
