"""The Models view, in a browser beside the running program: what happens is seen, what is ordered is done."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.browser import PHONE, WIDE, Look
from tests.whole.asking import caller, chat, forgive
from tests.whole.program import Program, config, model

HOSTILE = "<img src=x onerror=document.title=1>"
TEXT = (
    config(
        model("one", ttl=600),
        model("two", description="'The other one'"),
        model("apart"),
        model("slow", "--load-seconds 600"),
        model("stillborn", "--exit --exit-code 7 --stderr 'no memory left'"),
        model("odd", description=f"'{HOSTILE}'"),
    )
    + "groups:\n"
    + "  chat: {swap: true, exclusive: true, members: [one, two, slow, stillborn, odd]}\n"
    + "  helpers: {swap: false, exclusive: false, persistent: true, members: [apart]}\n"
)


@pytest.fixture(scope="module")
def program(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("models"), TEXT) as started:
        yield started


@pytest.fixture
def look(program: Program, chromium: Browser) -> Iterator[Look]:
    """Nothing runs when a test begins."""
    with caller(program) as ask:
        ask.post("/api/models/unload").raise_for_status()
    forgive(program, "stillborn")
    with Look(chromium, program.url) as looking:
        yield looking


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("button", name=name, exact=True))


@contextmanager
def asking(program: Program, name: str, text: str) -> Iterator[None]:
    """A caller who is still there."""
    thread = threading.Thread(target=chat, args=(program, name, text), daemon=True)
    thread.start()
    yield
    with caller(program) as ask:
        ask.post("/api/models/unload").raise_for_status()
    thread.join()


def test_a_swap_is_seen_as_it_happens(look: Look, program: Program) -> None:
    page = look.open("models")
    page.get_by_role("button", name="Load one").click()
    expect(row(page, "one").get_by_text("Ready", exact=True)).to_be_visible()
    expect(row(page, "one")).to_contain_text(re.compile(r"idle, unloads in \d"))
    expect(page.get_by_text("1 of 6 up")).to_be_visible()
    assert chat(program, "two", "hello").status_code == 200
    expect(row(page, "two").get_by_text("Ready", exact=True)).to_be_visible()
    expect(row(page, "one")).to_contain_text("made room for two")
    row(page, "one").get_by_role("button", name="one", exact=True).click()
    detail = page.get_by_role("complementary", name="Details of one")
    expect(detail).to_contain_text("Why it last had to go")
    expect(detail).to_contain_text("Loading it now would stop two")
    look.inspected("models-swapped")


def test_what_excludes_what_stands_over_the_groups(look: Look) -> None:
    page = look.open("models")
    chats = page.get_by_role("region", name="chat")
    expect(chats).to_contain_text("one of them at a time")
    expect(chats.get_by_role("listitem")).to_have_count(5)
    expect(page.get_by_role("region", name="helpers")).to_contain_text("other groups cannot stop them")


def test_a_model_is_loaded_pinned_restarted_and_unloaded_by_hand(look: Look, program: Program) -> None:
    page = look.open("models/apart")
    detail = page.get_by_role("complementary")
    detail.get_by_role("button", name=re.compile("Load apart")).click()
    expect(detail.get_by_text("Ready", exact=True)).to_be_visible()
    before = detail.locator("dt:text-is('Process') + dd").inner_text()
    detail.get_by_role("button", name="Pin").click()
    expect(detail.get_by_role("button", name="Pinned")).to_have_attribute("aria-pressed", "true")
    detail.get_by_role("button", name="Pinned").click()
    detail.get_by_role("button", name="Restart").click()
    expect(detail.locator("dt:text-is('Process') + dd")).not_to_have_text(before)
    expect(detail.get_by_text("Ready", exact=True)).to_be_visible()
    detail.get_by_role("button", name="Unload").click()
    expect(detail.get_by_text("Stopped", exact=True)).to_be_visible()


def test_a_load_shows_how_far_it_is_and_can_be_stopped(look: Look) -> None:
    look.forgive("503")  # the load that was stopped
    page = look.open("models")
    page.get_by_role("button", name="Load slow").click()
    expect(row(page, "slow").get_by_role("progressbar")).to_be_visible()
    page.get_by_role("button", name="Stop loading slow").click()
    expect(row(page, "slow").get_by_text("Stopped", exact=True)).to_be_visible()


def test_a_failure_is_shown_with_its_last_words_and_can_be_forgotten(look: Look) -> None:
    look.forgive("502|503")
    page = look.open("models")
    page.get_by_role("button", name="Load stillborn").click()
    failed = row(page, "stillborn")
    expect(failed.get_by_text("Failed", exact=True)).to_be_visible()
    expect(failed).to_contain_text("exit code 7")
    expect(failed.get_by_label("Last output")).to_contain_text("no memory left")
    expect(page.get_by_role("alert")).to_contain_text("exit code 7")
    page.get_by_role("button", name="Dismiss").click()
    look.inspected("models-failed")
    page.get_by_role("button", name="Reset stillborn").click()
    expect(failed.get_by_text("Stopped", exact=True)).to_be_visible()


def test_who_waits_is_told_and_an_answer_is_not_cut_off_unasked(look: Look, program: Program) -> None:
    page = look.open("models")
    with asking(program, "one", "[fake words=4000 interval=0.05]"):
        expect(row(page, "one").get_by_text("Answering", exact=True)).to_be_visible()
        with asking(program, "two", "hello"):
            expect(row(page, "two")).to_contain_text("1 waiting, the longest for")
            page.get_by_role("button", name="two", exact=True).click()
            expect(page.get_by_role("complementary")).to_contain_text("127.0.0.1")
            page.get_by_role("button", name="Unload one").click()
            expect(page.get_by_role("dialog")).to_contain_text("1 request is being answered and would be cut off")
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
            expect(row(page, "one").get_by_text("Answering", exact=True)).to_be_visible()


def test_a_search_is_part_of_the_link_and_of_nothing_else(look: Look) -> None:
    page = look.open("models")
    page.keyboard.press("/")
    page.keyboard.type("OTHER")
    expect(page.get_by_role("listitem")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"#/models\?q=OTHER$"))
    page.reload()
    expect(page.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("searchbox").fill("nobody has this name")
    expect(page.get_by_text("No model fits")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("listitem")).to_have_count(6)


def test_on_a_phone_the_details_have_the_screen(program: Program, chromium: Browser) -> None:
    with Look(chromium, program.url, PHONE) as look:
        page = look.open("models")
        page.get_by_role("button", name="odd", exact=True).click()
        expect(page.get_by_role("complementary")).to_contain_text(HOSTILE)
        expect(page.get_by_role("searchbox")).to_be_hidden()
        page.go_back()
        expect(page.get_by_role("searchbox")).to_be_visible()
        expect(page).to_have_title(re.compile("Models"))


def test_of_two_hundred_models_all_are_there(chromium: Browser, tmp_path: Path) -> None:
    many = config(*(model(f"model-{number}") for number in range(200)))
    with Program(tmp_path, many) as program, Look(chromium, program.url, WIDE) as look:
        page = look.open("models")
        expect(page.get_by_role("listitem")).to_have_count(200)
        page.get_by_role("searchbox").fill("model-19")
        expect(page.get_by_role("listitem")).to_have_count(11)
        page.get_by_label("Sort by").select_option("name")
        expect(page.get_by_role("listitem").first).to_contain_text("model-19")
        look.inspected("models-many")


def test_a_model_that_is_gone_is_told_to_be(look: Look) -> None:
    page = look.open("models/never-there")
    expect(page.get_by_text("There is no model never-there")).to_be_visible()
    page.get_by_role("button", name="Show all models").click()
    expect(page.get_by_role("listitem")).to_have_count(6)
