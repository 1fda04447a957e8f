"""What is shown of a benchmark: a table, and a report that needs nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from llamaswap_py.bench import words
from llamaswap_py.bench.charts import Bar, Group, drawn
from llamaswap_py.bench.kept import Shelf
from llamaswap_py.bench.report import report
from llamaswap_py.bench.values import Cell, Plan, Result, Session

GOOD = Cell(128, 1, 3, 130.0, 64.0, 0.01, 0.02, 900.0, True, 50.0, 50.5, 48.0, 0.02, 0.03, 0.2)
OTHER = Cell(512, 1, 3, 515.0, 64.0, 1.5, 2.0, 340.0, False, 40.0, None, 35.0, 0.025, 0.03, 0.2, 1, "it hung up")
BAD = Cell(128, 1, failed=3, why="400: <no> room")
RESULTS = (
    Result("model <b> Q8_0", "/m/a.gguf", "Q8_0", 1 << 30, 12.5, 0.5, 3 << 30, 2 << 30, (GOOD, OTHER)),
    Result("far", "http://h", cells=(BAD,)),
    Result("gone", "http://h", trouble="nobody answers"),
)
SESSION = Session("20260101-120000", 1_767_268_800.0, "Linux, 2 processors", Plan((128, 512), (1,)), RESULTS)


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def test_a_report_is_whole_and_asks_nobody_for_anything() -> None:
    page = report(SESSION)
    seen = Seen()
    seen.feed(page)
    assert seen.open == []
    assert not re.search(r"https?://(?!h\b)|<script|<link|<img|url\(|@import", page)
    for text in (
        "model <b> Q8_0",
        "2026-01-01 12:00 UTC",
        "50.5",
        "12.5 s",
        "3.00 GiB",
        "400: <no> room",
        "nobody answers",
    ):
        assert text in seen.text
    assert "model <b> Q8_0, prompt of 512, 1 at once: 1 failed: it hung up" in seen.text
    assert "far, prompt of 128, 1 at once: all 3 failed: 400: <no> room" in seen.text
    assert page.count("<svg") == 7


def test_a_chart_of_nothing_is_none_and_one_of_something_can_be_heard() -> None:
    assert drawn("x", [Group("g", [Bar(0, None)])], ["a"], words.rate) == ""
    chart = drawn("Speed", [Group("g", [Bar(0, 10.0), Bar(1, None), Bar(2, 5.0)])], ["a", "b", "c"], words.rate)
    assert 'aria-label="Speed. g a: 10.0; g c: 5.00"' in chart
    assert "not measured" in chart
    widths = [float(width) for width in re.findall(r'width="([\d.]+)"', chart)]
    assert widths[0] == pytest.approx(2 * widths[2])


def test_rows_say_what_is_not_known() -> None:
    rows = words.rows(SESSION, [])
    assert rows[0] == (
        "model <b> Q8_0", "130", "1", "900", "50.0", "50.5", "48.0", "10.0 ms", "20.0 ms", "20.0 ms", "30.0 ms", "-",
    )  # fmt: skip
    assert rows[1][3:6] == ("340*", "40.0", "-")
    assert rows[2][:4] == ("far", "~128", "1", "failed")
    assert {len(row) for row in rows} == {len(words.TITLES)}
    assert any(note.startswith("* ") for note in words.notes(SESSION))


def test_what_is_kept_is_found_and_what_is_damaged_is_none(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert (shelf.sessions(), shelf.find("last")) == ([], None)
    path = shelf.keep(SESSION, "report")
    assert path.read_text() == "report"
    (shelf.folder / "20260101-130000.json").write_text("{")
    assert shelf.sessions() == [SESSION]
    assert shelf.find("2026") == shelf.find("last") == SESSION
    assert shelf.find("1999") is None
    assert shelf.fresh_id("20260101-120000") == "20260101-120000-2"
