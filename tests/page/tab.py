"""One tab under traffic: how soon it answers a hand, what it keeps, and what it costs the proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from playwright.sync_api import CDPSession, Page, expect

from tests.page.browser import Look
from tests.page.traffic import FLOOD, Streams
from tests.whole.faults.crowd import cpu
from tests.whole.program import Program

# A tab that is left open may keep this much, whatever came. The greatest part are 20,000 lines of a log.
MOST_HEAP = 64 * 2**20
MOST_NODES = 20_000

VIEWS = {
    "playground": "Playground",
    "activity": "Activity",
    f"logs/{FLOOD}": "Logs",
    "performance": "Performance",
    "configuration": "Configuration",
    "models": "Models",
}

# From a hand's event, as the system has stamped it, to the end of the frame in which what it asked for is there.
WATCH = """() => {
  window.answered = new Promise((done, fail) => {
    let began;
    setTimeout(() => fail(Error("never answered")), 30000);
    addEventListener("%s", event => (began = event.timeStamp), {capture: true, once: true});
    const look = () => {
      if (began === undefined || !(%s)) return requestAnimationFrame(look);
      const after = new MessageChannel();
      after.port1.onmessage = () => done(performance.now() - began);
      after.port2.postMessage(0);
    };
    requestAnimationFrame(look);
  });
}"""
SHOWN = "document.querySelector('h1')?.textContent.includes('%s')"
ROWS = "document.querySelectorAll('main ul > li').length === %d"
TEN = 10  # model-19 and model-190 to model-198
AT_ONCE = "true"  # the next frame that is drawn


def answer(page: Page, kind: str, goal: str, hand: Callable[[], object]) -> float:
    """Milliseconds."""
    page.evaluate(WATCH % (kind, goal))
    hand()
    took: float = page.evaluate("window.answered")
    return took


def views_opened(look: Look) -> Iterator[tuple[str, float]]:
    """By the navigation, one after the other."""
    links = look.page.get_by_role("navigation").get_by_role("link")
    for place, title in VIEWS.items():
        link = links.and_(look.page.locator(f"[href='#/{place.partition('/')[0]}']"))
        yield f"open {title}", answer(look.page, "click", SHOWN % title, link.click)


def hands(look: Look) -> Iterator[tuple[str, float]]:
    """Everything that is tried in one round: what it is, and how long it took."""
    page = look.page
    yield from views_opened(look)
    look.open("models")
    expect(page.locator("main ul > li")).not_to_have_count(0)
    field = page.get_by_role("searchbox")
    field.click()
    for letter in "model-":
        yield "type in the search", answer(page, "keydown", AT_ONCE, partial(page.keyboard.press, letter))
    page.keyboard.press("1")
    yield "narrow 200 models down to 10", answer(page, "keydown", ROWS % TEN, lambda: page.keyboard.press("9"))
    field.fill("")
    for word in ("Up", "All"):
        button = page.get_by_role("group", name="Which models").get_by_role("button", name=word)
        yield "filter models", answer(page, "click", AT_ONCE, button.click)
    look.open(f"logs/{FLOOD}")
    expect(page.locator(".line").nth(20)).to_be_attached()
    page.get_by_role("searchbox").click()
    for letter in "77":
        yield "search 10,000 lines/s", answer(page, "keydown", AT_ONCE, partial(page.keyboard.press, letter))
    page.get_by_role("searchbox").fill("")


@dataclass(frozen=True)
class Kept:
    """What the tab holds after everything that nobody needs was thrown away."""

    heap: int
    nodes: int
    listeners: int

    def __str__(self) -> str:
        return f"{self.heap / 2**20:6.1f} MiB of heap, {self.nodes:6} nodes, {self.listeners:5} listeners"


def debugger(look: Look) -> CDPSession:
    return look.context.new_cdp_session(look.page)


def kept(session: CDPSession) -> Kept:
    for _ in range(2):  # what only finalisers held goes with the second
        session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")
    dom = session.send("Memory.getDOMCounters")
    return Kept(int(heap["usedSize"]), int(dom["nodes"]), int(dom["jsEventListeners"]))


@contextmanager
def halted(look: Look) -> Iterator[None]:
    """The tab stands still in the middle of a script: it reads nothing until it may go on."""
    session = debugger(look)
    session.send("Debugger.enable")
    paused: list[object] = []
    session.on("Debugger.paused", partial(list.append, paused))
    session.send("Debugger.pause")
    while not paused:
        look.page.wait_for_timeout(20)  # lets the debugger's word through
    try:
        yield
    finally:
        session.send("Debugger.resume")
        session.send("Debugger.disable")
        session.detach()


def cost(program: Program, streams: Streams, seconds: float, look: Look) -> float:
    """Microseconds of the proxy's processor for each event that its callers got."""
    before, events = cpu(program), streams.events
    look.page.wait_for_timeout(seconds * 1000)
    return (cpu(program) - before) / (streams.events - events) * 1e6
