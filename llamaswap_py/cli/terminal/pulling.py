"""A pull as it is shown: bars on a terminal, lines in a log, JSON for programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TextIO

from msgspec.structs import asdict

from llamaswap_py.cli.terminal.colours import BOLD, DIM, GREEN, Paint
from llamaswap_py.library.pull.choice import amount
from llamaswap_py.library.pull.pull import Chosen, Done, Failed, News, Note, Progress
from llamaswap_py.library.pull.transfer import Stage

BAR = 24  # cells
ROWS = 12  # files shown at once
LINES_APART = 10.0  # seconds between two lines about one pull in a log
EIGHTHS = " ▏▎▍▌▋▊▉"


class Show(Protocol):
    tick: float  # seconds between two looks

    def show(self, news: News, now: float) -> None: ...


class Json:
    """One object a line, its `event` first. A reader that has gone ends the pull: the next line finds nobody."""

    tick = 0.5

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def show(self, news: News, now: float) -> None:
        print(json.dumps({"event": type(news).__name__.lower(), **asdict(news)}), file=self.out, flush=True)


class Lines:
    tick = 1.0

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.said_at = float("-inf")

    def show(self, news: News, now: float) -> None:
        if isinstance(news, Progress):
            if not news.total or now - self.said_at < LINES_APART:
                return
            self.said_at = now
            print(overall(news), file=self.out, flush=True)
        else:
            print(words(news), file=self.out, flush=True)


class Bars:
    """Redrawn in place; what is said stands above."""

    tick = 0.1

    def __init__(self, out: TextIO, paint: Paint) -> None:
        self.out = out
        self.paint = paint
        self.drawn = 0  # lines

    def show(self, news: News, now: float) -> None:
        if isinstance(news, Progress):
            self.draw(self.rows(news))
        else:
            self.draw([])
            text = words(news)
            head, newline, tail = text.partition("\n")
            colour = {Done: GREEN, Chosen: BOLD, Note: DIM}.get(type(news), "")
            print(f"{self.paint(head, colour)}{newline}{tail}", file=self.out, flush=True)

    def rows(self, news: Progress) -> list[str]:
        if not news.total:
            return ["Asking the hub ..."]
        busy = [row for row in news.files if row[3] in (Stage.LOADING, Stage.CHECKING, Stage.SHARED)]
        width = max((len(shown(path)) for path, *_ in busy), default=0)
        lines = [self.row(*row, width) for row in busy[:ROWS]] if len(news.files) > 1 else []
        if len(busy) == 1 and busy[0][3] != Stage.LOADING:
            return [*lines, f"{bar(news.done, news.total)} {overall(news)} ({busy[0][3]})"]
        return [*lines, f"{bar(news.done, news.total)} {overall(news)}"]

    def row(self, path: str, done: int, size: int, stage: str, width: int) -> str:
        doing = "" if stage == Stage.LOADING else f" {stage}"
        return f"{bar(done, size)} {percent(done, size):>4}  {shown(path):<{width}}  {amount(size)}{doing}"

    def draw(self, lines: Sequence[str]) -> None:
        columns = shutil.get_terminal_size().columns
        up = f"\033[{self.drawn}A\r\033[J" if self.drawn else ""
        self.out.write(up + "".join(f"{line[: columns - 1]}\n" for line in lines))
        self.out.flush()
        self.drawn = len(lines)


def words(news: News) -> str:
    match news:
        case Chosen(repo, commit, folder, files, total):
            count = "one file" if len(files) == 1 else f"{len(files)} files"
            return clean(f"{repo} ({commit[:8]}): {count}, {amount(total)}, into {folder}")
        case Done(_, files, total, seconds):
            listed = "\n".join(f"  {path}" for path in files)
            return clean(f"Done: {amount(total)} in {duration(seconds)}, checksums right.\n{listed}")
        case Note(text) | Failed(_, text):
            return clean(text)
    return overall(news)


def overall(news: Progress) -> str:
    speed = f", {amount(news.speed)}/s" if news.speed else ""
    left = f", {duration(news.left)} left" if news.left is not None and news.done < news.total else ""
    return f"{percent(news.done, news.total)} of {amount(news.total)}{speed}{left}"


def bar(done: int, total: int) -> str:
    eighths = BAR * 8 * min(done, total) // total if total else BAR * 8
    full, rest = divmod(eighths, 8)
    return f"{'█' * full}{EIGHTHS[rest] if full < BAR else ''}".ljust(BAR, " ").join("▕▏")


def percent(done: int, total: int) -> str:
    return f"{100 * done // total if total else 100}%"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def shown(path: str) -> str:
    return clean(Path(path).name)


def clean(text: str) -> str:
    """Names come from outside, and must not steer the terminal."""
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")
