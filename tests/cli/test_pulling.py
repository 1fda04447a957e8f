"""What a person sees of a pull: bars that are redrawn, lines in a log, and never an order to the terminal."""

from __future__ import annotations

import io
import json

import pytest

from llamaswap_py.cli.terminal.colours import Paint
from llamaswap_py.cli.terminal.pulling import Bars, Json, Lines, bar, duration, words
from llamaswap_py.library.pull.pull import Chosen, Done, Failed, News, Note, Progress

CHOSEN = Chosen("acme/T", "0123456789abcdef", "models/T", (("a.gguf", 100), ("b.gguf", 300)), 400)
HALF = Progress(200, 400, 50.0, 4.0, (("a.gguf", 100, 100, "done"), ("b.gguf", 100, 300, "loading")))
CHECKS = Progress(100, 400, 0.0, None, (("x/b.gguf", 100, 400, "checking"),))


def bars() -> tuple[Bars, io.StringIO]:
    out = io.StringIO()
    return Bars(out, Paint(out, {})), out


def test_bars_say_how_far_how_fast_and_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    show, out = bars()
    show.show(HALF, 0.0)
    file, whole = out.getvalue().splitlines()
    assert "33%  b.gguf  300 B" in file
    assert whole.endswith("50% of 400 B, 50 B/s, 0:04 left")


def test_bars_are_redrawn_in_place_below_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    show, out = bars()
    show.show(HALF, 0.0)
    show.show(Note("Something happened."), 0.0)
    show.show(HALF, 0.0)
    first, second = out.getvalue().split("\033[2A\r\033[J")
    assert all(len(line) < 40 for line in first.splitlines())
    assert second.startswith("Something happened.\n")


def test_what_is_done_with_a_file_is_said_where_it_is_not_loading() -> None:
    show, out = bars()
    show.show(Progress(0, 0, 0.0, None, ()), 0.0)
    show.show(CHECKS, 0.0)
    assert out.getvalue().startswith("Asking the hub ...\n")
    assert out.getvalue().endswith("25% of 400 B (checking)\n")


def test_a_log_gets_a_line_now_and_then() -> None:
    out = io.StringIO()
    show = Lines(out)
    for second in range(25):
        show.show(HALF, float(second))
    show.show(Progress(0, 0, 0.0, None, ()), 100.0)
    assert out.getvalue().splitlines() == ["50% of 400 B, 50 B/s, 0:04 left"] * 3


def test_programs_get_one_object_a_line() -> None:
    out = io.StringIO()
    for news in (CHOSEN, HALF, Failed("no_network", "No.", ("x",))):
        Json(out).show(news, 0.0)
    chosen, half, failed = map(json.loads, out.getvalue().splitlines())
    assert (chosen["event"], half["event"], half["left"]) == ("chosen", "progress", 4.0)
    assert failed == {"event": "failed", "trouble": "no_network", "message": "No.", "near": ["x"]}


@pytest.mark.parametrize(
    ("news", "text"),
    [
        (CHOSEN, "acme/T (01234567): 2 files, 400 B, into models/T"),
        (Done("models/T", ("models/T/a.gguf",), 400, 75.2), "Done: 400 B in 1:15, checksums right.\n  models/T/a.gguf"),
        (Failed("x", "No \033[2Jway.\n  near", ()), "No [2Jway.\n  near"),
        (HALF, "50% of 400 B, 50 B/s, 0:04 left"),
    ],
)
def test_news_in_words(news: News, text: str) -> None:
    assert words(news) == text


def test_a_bar_is_always_as_long() -> None:
    assert {len(bar(done, 1000)) for done in range(0, 1200, 7)} == {26}
    assert bar(0, 0) == bar(5, 5)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3723, "1:02:03")])
def test_times_are_as_clocks_show_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
