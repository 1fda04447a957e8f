"""Pull a model from Hugging Face: the right files of a repository, resumed, checked, into a folder of models."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from llamaswap_py.cli.terminal import flags
from llamaswap_py.cli.terminal.colours import RED, Paint
from llamaswap_py.cli.terminal.flags import Flag, Usage, Words

USAGE = Usage(
    "llamaswap pull OWNER/NAME[:QUANT] [flags]",
    "Download a model from the Hugging Face hub into models/NAME. Without flags one model of the repository is chosen\n"
    "and said, with all its parts and with what it needs to read pictures. What was interrupted goes on where it was;\n"
    "every file is checked against the hub's checksum. The address of a page or file on the hub does as well.\n"
    "$HF_TOKEN opens what wants a token, $HF_ENDPOINT names another hub.",
    (
        Flag("include", "take the files that match, as '*Q4_K_M*'; may be given more than once", "PATTERN"),
        Flag("quant", "take the model of this quantisation, as Q4_K_M", "QUANT"),
        Flag("no-mmproj", "leave the part that reads pictures"),
        Flag("revision", "a branch, tag or commit (default: main)", "NAME"),
        Flag("dir", "the folder of models (else $LLAMASWAP_MODELS, else models)", "DIR"),
        Flag("json", "tell the progress to a program, one object a line"),
    ),
)


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    if len(words.rest) != 1:
        print(f"Name one repository.\n\n{USAGE}", file=sys.stderr)
        return 2
    return pull(words)


def pull(words: Words) -> int:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # it would ask the hub, to say what program starts it
    if not os.environ.get("HF_ENDPOINT"):
        os.environ.pop("HF_ENDPOINT", None)  # set but empty means no address to that library
    # huggingface_hub takes half a second to import; no other command should wait for it.
    from llamaswap_py.cli.terminal.pulling import Bars, Json, Lines, Show, clean
    from llamaswap_py.library.pull.names import wish_of
    from llamaswap_py.library.pull.pull import Done, Failed, Pull
    from llamaswap_py.library.pull.troubles import PullFailed

    paint = Paint(sys.stderr)
    terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    as_json = "json" in words.switches
    show: Show = Json(sys.stdout) if as_json else Bars(sys.stdout, Paint(sys.stdout)) if terminal else Lines(sys.stdout)
    try:
        wish = wish_of(
            words.rest[0],
            tuple(words.every("include")),
            words.value("quant") or "",
            words.value("revision") or "",
            "no-mmproj" not in words.switches,
        )
    except PullFailed as failure:
        show.show(Failed(failure.trouble.value, failure.message, ()), 0.0) if as_json else print(
            failure, file=sys.stderr
        )
        return 2
    running = Pull(
        wish, Path(words.value("dir") or os.environ.get("LLAMASWAP_MODELS", "").split(os.pathsep)[0] or "models")
    )
    running.start()
    try:
        while True:
            news = running.next(show.tick)
            if isinstance(news, Failed) and not as_json:
                show.show(running.progress(time.monotonic()), time.monotonic())
                print(paint(clean(news.message), RED), file=sys.stderr)
            else:
                show.show(news, time.monotonic())
            if isinstance(news, Done | Failed):
                return int(isinstance(news, Failed))
    except KeyboardInterrupt:
        running.stop()
        print("\nStopped. What has come is kept: the same command goes on from there.", file=sys.stderr)
        raise
