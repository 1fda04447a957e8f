"""Requests on the page: those in flight, which can be ended; past ones, narrowed down, opened, taken away."""

from __future__ import annotations

import csv
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Download, expect

from tests.page.browser import PHONE, Look
from tests.whole.asking import caller, chat
from tests.whole.program import Program, config, model

HOSTILE = "<img src=nowhere onerror=document.title=1><b>markup</b>"
TEXT = config(model("quick"), model("writer"), captureBuffer=5)


@pytest.fixture(scope="module")
def program(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """It has answered, and refused."""
    with Program(tmp_path_factory.mktemp("activity"), TEXT) as started:
        assert chat(started, "quick", HOSTILE).status_code == 200
        assert chat(started, "quick", "hello [fake words=12]").status_code == 200
        assert chat(started, "nobody", "hello").status_code == 404
        yield started


@contextmanager
def endless(program: Program, name: str) -> Iterator[list[str]]:
    """A caller whose answer never ends, unless somebody ends it; what it got."""
    got: list[str] = []
    body = {
        "model": name,
        "stream": True,
        "messages": [{"role": "user", "content": "go on [fake words=100000 interval=0.02]"}],
    }
    stop = threading.Event()

    def listen() -> None:
        with (
            caller(program) as client,
            suppress(httpx.HTTPError),
            client.stream("POST", "/v1/chat/completions", json=body) as answer,
        ):
            got.extend(takewhile(lambda _: not stop.is_set(), answer.iter_lines()))

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield got
    finally:
        stop.set()
        thread.join()


def test_a_request_in_flight_is_seen_and_cancelled(program: Program, chromium: Browser) -> None:
    with endless(program, "writer") as got, Look(chromium, program.url) as look:
        page = look.open("activity")
        flights = page.get_by_role("region", name="In flight")
        expect(flights).to_contain_text("Answering")
        expect(flights).to_contain_text("KB sent")
        look.inspected("activity-live")
        look.be(PHONE, "light")
        page.get_by_role("button", name="Cancel the request for writer").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel the request").click()
        expect(flights).to_contain_text("Nothing is being answered now")
        expect(page.get_by_role("row", name=re.compile("writer"))).to_contain_text("Cancelled")
    assert any("cancelled" in line for line in got)


def test_a_row_is_opened_by_its_link_and_shows_what_was_said(program: Program, chromium: Browser) -> None:
    with Look(chromium, program.url) as look:
        page = look.open("activity")
        page.get_by_role("row", name=re.compile("request 1$|request 1 ")).get_by_role("link").click()
        expect(page).to_have_url(re.compile(r"#/activity/1$"))
        details = page.get_by_role("complementary", name="Details of request 1")
        expect(details).to_contain_text(HOSTILE)
        assert details.locator("img, b").count() == 0
        page.reload()
        expect(details).to_contain_text("Loading the model")
        look.inspected("activity-detail")
        details.get_by_role("tab", name="Request").click()
        expect(details.locator("pre")).to_contain_text('"role": "user"')
        details.get_by_role("tab", name="Request").press("ArrowRight")
        expect(details.locator("pre")).to_contain_text('"choices"')
        page.keyboard.press("Escape")
        expect(details).to_have_count(0)
        page.goto(f"{program.url}/ui/#/activity/987654")
        expect(page.get_by_text("There is no request 987654")).to_be_visible()
        assert page.title() == "Activity · llamaswap"


def test_filters_narrow_down_and_stand_in_the_address(program: Program, chromium: Browser) -> None:
    with Look(chromium, program.url) as look:
        page = look.open("activity")
        rows = page.locator("tbody tr")
        expect(rows.first).to_be_visible()
        page.get_by_label("Status").select_option("4xx")
        expect(page).to_have_url(re.compile(r"status=4xx"))
        expect(rows.filter(has_text="nobody")).not_to_have_count(0)
        expect(rows.filter(has_text="quick")).to_have_count(0)
        page.get_by_label("Model").select_option("writer")
        page.get_by_label("Status").select_option("5xx")
        expect(page.get_by_text("No request fits")).to_be_visible()
        page.get_by_role("button", name="Show all").click()
        page.get_by_role("button", name="Out").click()
        expect(page.get_by_role("columnheader", name="Out")).to_have_attribute("aria-sort", "descending")


def test_new_rows_come_by_themselves_but_not_under_a_pointer(program: Program, chromium: Browser) -> None:
    with Look(chromium, program.url) as look:
        page = look.open("activity?model=quick")
        rows = page.locator("tbody tr")
        expect(rows.first).to_be_visible()
        before = rows.count()
        asks: list[str] = []
        page.on("request", lambda asked: asks.append(asked.url) if "api/metrics" in asked.url else None)
        chat(program, "quick", "one more")
        expect(rows).to_have_count(before + 1)
        rows.nth(before // 2).hover()  # in the middle: what is in flight moves the rows a little
        chat(program, "nobody", "not one of these")
        chat(program, "quick", "and another")
        pill = page.get_by_role("button", name="1 new", exact=True)
        expect(pill).to_be_visible()
        expect(rows).to_have_count(before + 1)
        assert asks == []
        pill.press("Enter")  # on its way to it a pointer leaves the rows, and they come by themselves
        expect(rows).to_have_count(before + 2)
        expect(pill).to_have_count(0)


def test_pages_do_not_move_while_new_rows_come(program: Program, chromium: Browser) -> None:
    for number in range(56):
        chat(program, f"unknown-{number}", "hello")
    with Look(chromium, program.url) as look:
        page = look.open("activity?status=4xx")
        rows = page.locator("tbody tr")
        expect(rows).to_have_count(50)
        page.get_by_role("button", name="After").click()
        expect(rows).not_to_have_count(50)
        expect(rows.first).to_contain_text("unknown-")
        second = rows.all_inner_texts()
        for number in range(3):
            chat(program, f"new-{number}", "hello")
        expect(page.get_by_role("button", name="3 new")).to_be_visible()
        assert rows.all_inner_texts() == second
        page.get_by_role("button", name="Before").click()
        expect(rows).to_have_count(50)
        expect(rows.first).to_contain_text("new-2")


def test_rows_are_taken_away_as_csv_and_json(program: Program, chromium: Browser, tmp_path: Path) -> None:
    def saved(download: Download) -> str:
        download.save_as(tmp_path / "taken")
        return (tmp_path / "taken").read_text()

    with Look(chromium, program.url) as look:
        page = look.open("activity?model=quick")
        expect(page.locator("tbody tr").first).to_be_visible()
        shown = page.locator("tbody tr").count()
        with page.expect_download() as download:
            page.get_by_role("button", name="CSV").click()
        assert re.fullmatch(r"activity-[\d-]+\.csv", download.value.suggested_filename)
        table = list(csv.DictReader(saved(download.value).splitlines()))
        assert [row["model"] for row in table] == ["quick"] * shown
        with page.expect_download() as download:
            page.get_by_role("button", name="JSON").click()
        assert [row["model"] for row in json.loads(saved(download.value))] == ["quick"] * shown
