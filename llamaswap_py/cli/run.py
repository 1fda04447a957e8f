"""Run a model in the terminal: ask it once, or talk with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from importlib import import_module
from importlib.util import find_spec

from llamaswap_py.cli.terminal import client, flags
from llamaswap_py.cli.terminal.chat import Chat, Piece
from llamaswap_py.cli.terminal.colours import DIM, Paint
from llamaswap_py.cli.terminal.flags import Flag, Usage

USAGE = Usage(
    'llamaswap run MODEL ["prompt"] [flags]',
    "Ask a model of a running server, and show its answer as it comes. Without a prompt each line that is read is one\n"
    "more question of the same conversation, until Ctrl-D.\n\n"
    "Ctrl-C stops the answer; one more ends the program. Behind each answer stand its tokens, their speed, and how\n"
    "long the first took. In a pipe only the answer goes to standard output, without what the model thought.",
    (Flag("system", "what the model is told before the conversation", "TEXT"), *client.FLAGS),
)
INTERRUPTED = 130  # as shells have it: 128 and the number of the signal
ESCAPE = {27: None}  # what a model says must not steer the terminal


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    if not words.rest:
        print(f"Name a model; 'llamaswap list' shows which there are.\n\n{USAGE}", file=sys.stderr)
        return 2
    system = words.value("system")
    try:
        chat = Chat(client.server(words), words.rest[0], [{"role": "system", "content": system}] if system else [])
        return once(chat, " ".join(words.rest[1:])) if words.rest[1:] else converse(chat)
    except client.Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def once(chat: Chat, question: str) -> int:
    return 0 if Screen().show(chat, question) else INTERRUPTED


def converse(chat: Chat) -> int:
    """A terminal is asked again after a failure; what is read from a file or a pipe ends with the first one."""
    is_asked = sys.stdin.isatty()
    if is_asked and find_spec("readline"):  # lines can be edited and called back, where the platform has it
        import_module("readline")
    screen, status = Screen(), 0
    while (question := next_question(is_asked)) is not None:
        if not question.strip():
            continue
        try:
            screen.show(chat, question)
            status = 0
        except client.Failed as failure:
            if not is_asked:
                raise
            print(failure, file=sys.stderr)
            status = 1
    return status


def next_question(is_asked: bool) -> str | None:
    """None at the end."""
    try:
        return input("> " if is_asked else "")
    except EOFError:
        print(end="\n" if is_asked else "")
    except KeyboardInterrupt:
        print()
        raise
    return None


class Screen:
    def __init__(self) -> None:
        self.is_seen = sys.stdout.isatty()
        self.paint, self.aside = Paint(sys.stdout), Paint(sys.stderr)
        self.is_line_open = False

    def show(self, chat: Chat, question: str) -> bool:
        """False where Ctrl-C stopped the answer."""
        is_whole = True
        try:
            with closing(chat.answers(question)) as pieces:
                self.show_pieces(pieces)
        except KeyboardInterrupt:
            is_whole = False
        finally:
            print(end="\n" if self.is_line_open else "", flush=True)
            self.is_line_open = False
        parts = [str(chat.cost), "" if is_whole else "stopped"]
        print(self.aside(", ".join(part for part in parts if part), DIM), file=sys.stderr, flush=True)
        return is_whole

    def show_pieces(self, pieces: Iterable[Piece]) -> None:
        was_thought = False
        for text, is_thought in pieces:
            if was_thought and not is_thought:
                self.write("\n\n", is_thought=True)
            self.write(text, is_thought)
            was_thought = is_thought

    def write(self, text: str, is_thought: bool) -> None:
        if not self.is_seen and is_thought:
            return
        shown = text.translate(ESCAPE) if self.is_seen else text
        self.is_line_open = True  # beforehand: Ctrl-C may come in between
        print(self.paint(shown, DIM) if is_thought else shown, end="", flush=True)
