"""What a visit costs, as the browser counts it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.page.browser import Look
from tests.whole.program import Program

MOST = 150_000  # bytes, as they are sent
SENT = "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]\
.map(each => [each.name, each.transferSize])"


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
