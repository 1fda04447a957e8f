"""The page as a whole: the first visit, every view on every screen, links that last, and a sub-path."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.page.browser import PHONE, Look
from tests.page.subpath import under_a_subpath
from tests.whole.asking import chat
from tests.whole.program import Program, config, model

CUT = "[...document.querySelectorAll('nav span')].filter(word => word.scrollWidth > word.clientWidth)\
.map(word => word.innerText)"
VIEWS = ("models", "playground", "overview", "activity", "logs", "performance", "configuration")

TEXT = config(
    model("quick", "--stderr wording", aliases="[fast]", ttl=600),
    model("writer", "--listen-after 0.1", description='"Writes at length"'),
    model("stillborn", "--exit --exit-code 7 --stderr 'no memory left'"),
    "peers:\n  far:\n    proxy: http://127.0.0.1:9\n    models: [there]\n",
)


@pytest.fixture(scope="module")
def program(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """It has loaded, answered, evicted and failed."""
    with Program(tmp_path_factory.mktemp("shell"), TEXT) as started:
        assert chat(started, "quick", "hello").status_code == 200
        assert chat(started, "stillborn", "hello").status_code == 502
        assert chat(started, "writer", "hello").status_code == 200
        yield started


def test_a_first_visit_on_an_empty_machine_says_how_to_begin(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        Program(tmp_path_factory.mktemp("empty"), "models: {}\n") as program,
        Look(chromium, program.url) as look,
    ):
        look.page.goto(f"{program.url}/ui")
        look.drawn("Models")
        expect(look.page.get_by_text("llamaswap pull", exact=False).first).to_be_visible()
        look.inspected("empty")
        for view in VIEWS:
            look.open(view)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_on_every_screen(view: str, program: Program, chromium: Browser) -> None:
    with Look(chromium, program.url) as look:
        look.open(view)
        expect(look.page.get_by_role("navigation", name="Views").locator("[aria-current=page]")).to_have_attribute(
            "href", f"#/{view}"
        )
        look.inspected()
        assert look.page.evaluate(CUT) == []  # on a phone, where the last look was


def test_links_survive_a_reload_and_a_shared_one_opens_its_view(program: Program, chromium: Browser) -> None:
    with Look(chromium, program.url, PHONE) as look:
        page = look.open("models")
        page.get_by_role("link", name="Activity").click()
        look.drawn("Activity")
        page.reload()
        look.drawn("Activity")
        page.go_back()
        look.drawn("Models")
        page.goto(f"{program.url}/ui/logs")
        look.drawn("Logs")
        assert re.search(r"/ui/#/logs", page.url)


def test_everything_works_under_a_sub_path(program: Program, chromium: Browser) -> None:
    with (
        under_a_subpath(program.url, "/ai/models/") as url,
        Look(chromium, url) as look,
    ):
        look.page.goto(f"{url}ui")
        look.drawn("Models")
        expect(look.page.get_by_text("quick", exact=True).first).to_be_visible()
        for view in VIEWS:
            look.open(view)
