"""A person's browser: the Chromium of the machine without a window, and a look at the page through it. What no person
should meet (an error in the console, a breach of the page's policy, a request to elsewhere) fails the look."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from llamaswap_py.ui import building
from tests.whole.program import LONG

Theme = Literal["light", "dark"]

WIDE, PHONE = 1440, 360
HEIGHTS = {WIDE: 900, PHONE: 740}
SIZES = [(width, theme) for width in (WIDE, PHONE) for theme in ("light", "dark")]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
ON_A_MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
MISSING = "the page was not tested: there is no Chromium here. scripts/test.sh --install brings it where apt-get can."

AXE = building.HERE / "node_modules" / "axe-core" / "axe.min.js"
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
SERIOUS = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.filter(each =>\
 ['serious', 'critical'].includes(each.impact)).map(each => `${each.impact}: ${each.help}: ` +\
 each.nodes.map(node => node.html.slice(0, 200) + ' ' + node.any.map(why => why.message).join('; ')).join(' | ')))"


def chromium() -> str | None:
    """$LLAMASWAP_TEST_CHROMIUM, else the first that is found."""
    given = os.environ.get("LLAMASWAP_TEST_CHROMIUM")
    if given:
        return given
    found = [path for name in NAMES if (path := shutil.which(name))]
    return next(iter([*found, *(path for path in ON_A_MAC if Path(path).exists())]), None)


@contextmanager
def started() -> Iterator[Browser]:
    """Whoever holds it may not await: Playwright's own loop runs in this thread meanwhile."""
    path = chromium()
    if path is None:
        pytest.skip(MISSING)
    expect.set_options(timeout=LONG * 1000)
    flags = ["--disable-smooth-scrolling", "--host-resolver-rules=MAP *.example 127.0.0.1"]  # strangers' names
    flags += ["--no-sandbox"] if sys.platform == "linux" and os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            browser.close()


@cache
def axe() -> str:
    """Handed over by the debugger, past the page's policy: only for the check."""
    return AXE.read_text("utf-8")


class Look:
    """`with Look(browser, url) as look: look.open("models")`. `look.page` is Playwright's."""

    def __init__(self, browser: Browser, url: str, width: int = WIDE, theme: Theme = "light", **context: Any) -> None:
        self.url = url.rstrip("/")
        self.origin = urlsplit(url)[:2]
        self.width: int = width
        self.theme: Theme = theme
        self.troubles: list[str] = []
        self.forgiven: list[str] = []
        self.context = browser.new_context(
            viewport={"width": width, "height": HEIGHTS[width]}, color_scheme=theme, reduced_motion="reduce", **context
        )
        self.context.set_default_timeout(LONG * 1000)
        self.page = self.follow(self.context.new_page())

    def follow(self, page: Page) -> Page:
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.troubles.append(f"a script: {error}"))
        page.on("request", self.ask)
        return page

    def hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.troubles.append(f"the console: {said.text} ({said.location.get('url', '')})")

    def ask(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in ("data", "blob") and urlsplit(request.url)[:2] != self.origin:
            self.troubles.append(f"elsewhere: {request.url}")

    def forgive(self, pattern: str) -> None:
        """A trouble that the test is about: a refusal is in the console, too."""
        self.forgiven.append(pattern)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            folder = os.environ.get("LLAMASWAP_TEST_SCREENSHOTS")
            if folder:
                self.page.screenshot(path=Path(folder) / f"failed-{self.name}.png")
            error.add_note("\n".join(["The browser said:", *self.troubles]))
            self.context.close()
            return
        self.context.close()
        left = [each for each in self.troubles if not any(re.search(pattern, each) for pattern in self.forgiven)]
        assert left == [], "\n".join(left)

    def open(self, place: str = "models", title: str | None = None) -> Page:
        """A view by its address behind the `#`; afterwards it is drawn and the events are heard."""
        self.page.goto(f"{self.url}/ui/#/{place}")
        self.drawn(title)
        return self.page

    def drawn(self, title: str | None = None) -> None:
        expect(self.page.get_by_role("heading", level=1, name=title)).to_be_visible()
        expect(self.page.locator(".connection.live")).to_have_count(1)

    def be(self, width: int, theme: Theme) -> None:
        """The same page on another screen."""
        self.width, self.theme = width, theme
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        self.page.evaluate(DRAWN)

    def sizes(self, check: Callable[[], None]) -> None:
        """Do it on every screen."""
        for width, theme in SIZES:
            self.be(width, "dark" if theme == "dark" else "light")
            check()

    @property
    def name(self) -> str:
        view = urlsplit(self.page.url).fragment.strip("/").split("?")[0].replace("/", "-") or "page"
        return f"{view}-{self.width}-{self.theme}"

    def shot(self, name: str | None = None) -> None:
        """Into the folder that $LLAMASWAP_TEST_SCREENSHOTS names, if it names one."""
        folder = os.environ.get("LLAMASWAP_TEST_SCREENSHOTS")
        if folder:
            file = f"{name}-{self.width}-{self.theme}.png" if name else f"{self.name}.png"
            self.page.screenshot(path=Path(folder) / file)

    def accessible(self) -> None:
        """axe finds nothing serious."""
        if not self.page.evaluate("typeof axe === 'object'"):
            self.page.evaluate(axe())
        found: list[str] = self.page.evaluate(SERIOUS)
        assert found == [], "\n".join(found)

    def fits(self) -> None:
        """Nothing is wider than the screen."""
        wide, screen = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= screen, f"{self.name}: {wide} px on a screen of {screen}"

    def inspected(self, name: str | None = None) -> None:
        """On every screen: a picture, nothing too wide, nothing that axe complains of."""

        def check() -> None:
            self.shot(name)
            self.fits()
            self.accessible()

        self.sizes(check)


def until(page: Page, condition: str) -> None:
    """Playwright's own `wait_for_function` is forbidden by the page's policy: it makes code of a text."""
    script = f"""() => new Promise((done, fail) => {{
        const limit = performance.now() + {LONG * 1000};
        const again = () => performance.now() > limit ? fail("too late") : requestAnimationFrame(look);
        const look = () => ({condition}) ? done() : again();
        look();
    }})"""
    page.evaluate(script)
