"""Logs on the page: followed, held still, searched; whatever a server prints, and however much of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page import talker
from tests.page.browser import Look
from tests.whole.asking import caller, chat
from tests.whole.program import Program, config, fake

KEPT = 20_000  # lines, as src/views/logs/lines.ts says
DRAWN = 400  # rows at most, whatever is kept

# Waits until the last line that is drawn has a number above this one, and says which.
BEYOND = """least => new Promise(done => {
  const look = () => {
    const last = Number([...document.querySelectorAll('.line')].at(-1)?.innerText.split(' ')[1] ?? -1);
    last > least ? done(last) : requestAnimationFrame(look);
  };
  look();
})"""

# How long a press of a button takes until what it does is drawn, in milliseconds.
PRESS = """async () => {
  const began = performance.now();
  document.querySelector('button[aria-pressed]').click();
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - began;
}"""


def talking(name: str, rate: int) -> str:
    return f"  {name}:\n    cmd: {sys.executable} -P -S {talker.__file__} {rate} {fake()}\n"


TEXT = config(talking("odd", 0), talking("talker", 300), talking("flood", 10_000))


@pytest.fixture(scope="module")
def program(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("logs"), TEXT) as started:
        yield started


def load(program: Program, name: str) -> None:
    with caller(program) as client:
        assert client.post(f"/api/models/load/{name}").status_code == 200


def shown(page: Page) -> list[str]:
    return page.locator(".line").all_inner_texts()


def kept(page: Page, folder: Path) -> list[str]:
    """All that the page has, as it gives it away."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    download.value.save_as(folder / "kept.log")
    return (folder / "kept.log").read_text().splitlines()


def test_our_own_log_is_followed_and_another_one_chosen(program: Program, chromium: Browser) -> None:
    with Look(chromium, program.url) as look:
        page = look.open("logs")
        chat(program, "nobody", "hello")
        expect(page.locator(".line", has_text="POST /v1/chat/completions").first).to_be_visible()
        load(program, "odd")
        page.get_by_label("Whose log").select_option("odd")
        expect(page).to_have_url(re.compile(r"#/logs/odd$"))
        expect(page.get_by_role("region", name="Log of odd")).to_contain_text("loading 100 %")
        look.inspected("logs")
        look.forgive("400")
        look.open("logs/unheard-of")
        expect(page.get_by_text("There is no such log")).to_be_visible()


def test_what_is_printed_stays_text_and_has_its_colours(program: Program, chromium: Browser) -> None:
    load(program, "odd")
    with Look(chromium, program.url) as look:
        page = look.open("logs/odd")
        expect(page.locator(".line", has_text="markup")).to_have_text(talker.ODD[0])
        assert page.locator(".screen img, .screen b").count() == 0
        assert page.title() == "Logs · llamaswap"
        expect(page.locator(".line .ink-2.bold")).to_have_text("left")
        expect(page.locator(".line.warn")).to_have_text("WARN half of it is left")
        assert any(line == "loading 100 %" for line in shown(page))


def test_a_link_narrows_down_and_marks(program: Program, chromium: Browser) -> None:
    load(program, "odd")
    with Look(chromium, program.url) as look:
        page = look.open("logs/odd?level=error")
        expect(page.locator(".line")).to_have_text([talker.ODD[1], talker.ODD[2]])
        page.goto(f"{program.url}/ui/#/logs/odd?q=/l[eo].t/&only=yes")
        expect(page.locator("mark")).to_have_text(["left", "left"])
        expect(page.locator(".line")).to_have_count(2)
        page.keyboard.press("/")
        page.keyboard.type("x(/", delay=0)
        page.get_by_label("Search this log").fill("/(/")
        expect(page.get_by_text("not a regular expression")).to_be_visible()
        page.get_by_label("Search this log").fill("half")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Follow")).to_be_visible()
        expect(page.locator(".line.current")).to_have_count(1)


def test_history_and_what_follows_meet_without_gap_or_repeat(
    program: Program, chromium: Browser, tmp_path: Path
) -> None:
    load(program, "talker")
    with Look(chromium, program.url) as look:
        page = look.open("logs/talker")
        first = page.evaluate(BEYOND, -1)
        page.evaluate(BEYOND, first + 300)
        numbers = [int(line.split()[1]) for line in kept(page, tmp_path) if line.startswith("number")]
        assert numbers[-1] > first + 300
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_scrolling_up_holds_it_still_and_a_button_goes_on(program: Program, chromium: Browser) -> None:
    load(program, "talker")
    with Look(chromium, program.url) as look:
        page = look.open("logs/talker")
        expect(page.locator(".line").nth(40)).to_be_attached()
        page.get_by_role("region", name="Log of talker").hover()
        page.mouse.wheel(0, -300)
        back = page.get_by_role("button", name=re.compile("follow", re.IGNORECASE)).last
        expect(page.get_by_role("button", name="Paused")).to_be_visible()
        still = shown(page)
        expect(back).to_have_text(re.compile(r"\d+ new lines"))
        assert shown(page) == still
        back.click()
        expect(page.get_by_role("button", name="Following")).to_be_visible()
        assert shown(page) != still


def test_ten_thousand_lines_a_second_slow_neither_page_nor_proxy(
    program: Program, chromium: Browser, tmp_path: Path
) -> None:
    load(program, "flood")
    with Look(chromium, program.url) as look:
        page = look.open("logs/flood")
        expect(page.get_by_text("older lines dropped")).to_be_visible()
        presses = sorted(page.evaluate(PRESS) for _ in range(8))
        assert presses[4] < 1000
        assert page.locator(".line").count() < DRAWN
        assert chat(program, "odd", "hello").status_code == 200
        lines = kept(page, tmp_path)
        assert KEPT / 2 < len(lines) <= KEPT + 1
        look.shot("flood")
    with caller(program) as client:
        client.post("/api/models/unload/flood")
