"""The page on a busy day: it answers, keeps no more than its bound, and costs the proxy next to nothing."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.page.browser import Look
from tests.page.tab import MOST_HEAP, MOST_NODES, cost, debugger, halted, hands, kept
from tests.page.traffic import FLOOD, Streams, busy_day
from tests.whole.faults.crowd import memory
from tests.whole.program import Program

Busy = tuple[Program, Streams]


@pytest.fixture(scope="module")
def busy(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    with busy_day(tmp_path_factory.mktemp("load")) as day:
        yield day


def test_a_hand_is_answered_and_what_came_by_is_not_kept(busy: Busy, chromium: Browser) -> None:
    """200 models, 50 answers, 10,000 lines a second. It promises 100 ms in the middle; here the machine is shared."""
    program, _ = busy
    with Look(chromium, program.url) as look:
        look.open("models")
        took = [each for _ in range(2) for _, each in hands(look)]
        left = kept(debugger(look))
    assert statistics.median(took) < 1000
    assert left.heap < MOST_HEAP
    assert left.nodes < MOST_NODES


@pytest.mark.fault("F23")
def test_a_tab_that_stands_still_holds_nothing_up_and_goes_on(busy: Busy, chromium: Browser) -> None:
    """Neither the one that follows a log nor what the others hear; and both seats are told what they missed."""
    program, streams = busy
    with Look(chromium, program.url) as look:
        alone = cost(program, streams, 2, look)
        page = look.open(f"logs/{FLOOD}")
        expect(page.locator(".line").nth(20)).to_be_attached()
        before = memory(program)
        with halted(look):
            beside = cost(program, streams, 4, look)
            held = memory(program) - before
        expect(page.locator(".connection.live")).to_have_count(1)
        last = int(page.locator(".line").last.inner_text().split()[1])
        expect(page.locator(".line").last).not_to_contain_text(f"number {last} ")
    assert beside < 2 * alone
    assert held < 20 * 2**20
