"""What a visit costs, as the browser counts it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page, Request

from tests.page.browser import Look, until
from tests.whole.program import Program

MOST = 150_000  # bytes, as they are sent
# Until the page begins to load other views' parts in its moments of rest, which it marks.
SENT = """() => {
  const rest = performance.getEntriesByName("ahead")[0]?.startTime ?? Infinity;
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return all.filter(each => each.startTime < rest).map(each => [each.name, each.transferSize]);
}"""
PARTS = "performance.getEntriesByType('resource').filter(each => /View-[^/]*[.]js$/.test(each.name)).length === 7"


def sent(page: Page) -> dict[str, int]:
    """Bytes by address; what came from the browser's own store has none."""
    return {url.partition("#")[0]: size for url, size in page.evaluate(SENT)}


def test_a_first_visit_loads_little_and_the_next_one_no_part_again(chromium: Browser, tmp_path: Path) -> None:
    with Program(tmp_path, "models: {}\n") as program, Look(chromium, program.url) as look:
        first = sent(look.open("models"))
        look.page.goto("about:blank")
        again = sent(look.open("models"))
    parts = {url for url in first if "/ui/assets/" in url}
    assert f"{program.url}/ui/" in first
    assert len(parts) >= 3
    assert all(first[url] for url in parts)
    assert sum(first.values()) < MOST
    assert [url for url in parts if again[url]] == []


def test_the_other_views_are_there_before_they_are_opened(chromium: Browser, tmp_path: Path) -> None:
    """In a moment of rest; what a view loads later by itself is not among them."""
    with Program(tmp_path, "models: {}\n") as program, Look(chromium, program.url) as look:
        until(look.open("models"), PARTS)
        asked: list[Request] = []
        look.page.on("request", partial(list.append, asked))
        look.page.get_by_role("navigation").get_by_role("link", name="Activity").click()
        look.drawn("Activity")
    assert [each.url for each in asked if each.resource_type == "script"] == []
