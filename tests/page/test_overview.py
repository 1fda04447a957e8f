"""The Overview, in a browser beside the running program: what fires is seen and quietened, presets are tried first."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.fakes.tiny_gguf import Tiny
from tests.page.browser import PHONE, WIDE, Look
from tests.whole.asking import caller, chat
from tests.whole.program import Program, config, model
from tests.whole.test_gpus import FAKE

GIB = 2**30
CARDS = [
    {"name": "Large", "uuid": "GPU-1", "memory": [GIB, 24 * GIB], "temperature": 44, "power_limit_mw": 300_000},
    {"name": "Small", "uuid": "GPU-2", "memory": [7 * GIB, 8 * GIB], "temperature": 82},
]

# Every disk is in use by more than that.
ALERTS = "alerts:\n  every: 1\n  disk_usage: {warning: 1, critical: 0, duration: 0}\n"
WATCHED = ALERTS + "performance: {every: 5, gpus: none}\n"


@pytest.fixture(scope="module")
def program(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("overview")
    with Program(folder, config(model("one")) + WATCHED, watch=False) as started:
        assert chat(started, "one", "hello").status_code == 200
        yield started


@pytest.fixture
def look(program: Program, chromium: Browser) -> Iterator[Look]:
    with Look(chromium, program.url) as looking:
        yield looking


def part(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def test_an_alert_is_seen_in_the_shell_acknowledged_and_silenced(look: Look, program: Program) -> None:
    page = look.open("models")
    page.get_by_role("link", name="Overview, 1 alert fires", exact=True).click()
    look.drawn("Overview")
    firing = part(page, "Alerts").get_by_role("list", name="Firing")
    expect(firing).to_contain_text(re.compile(r"Disk usage is \d+.*the limit is 1"))
    look.inspected("overview-firing")
    look.be(WIDE, "light")
    firing.get_by_role("button", name="Acknowledge").click()
    page.get_by_label("Note, if wanted").fill("on it")
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(firing).to_contain_text("“on it”")
    expect(page.get_by_role("link", name="known or silenced")).to_be_visible()
    firing.get_by_role("button", name="Silence").click()
    page.get_by_label("For").select_option("a day")
    page.get_by_role("dialog").get_by_role("button", name="Silence", exact=True).click()
    expect(firing).to_contain_text("Silenced until")
    with caller(program) as ask:
        [alert] = ask.get("/api/alerts").json()["firing"]
        assert alert["acknowledged"]["note"] == "on it"
    firing.get_by_role("button", name="End the silence").click()
    firing.get_by_role("button", name="Take the acknowledgement back").click()
    expect(firing.get_by_role("button", name="Acknowledge")).to_be_visible()
    expect(firing).not_to_contain_text("Silenced until")


def test_a_silence_ordered_elsewhere_is_seen_at_once(look: Look, program: Program) -> None:
    page = look.open("overview")
    part(page, "Alerts").get_by_text("What is watched: 8 rules").click()
    rules = page.get_by_role("list", name="Rules")
    expect(rules.get_by_role("listitem")).to_have_count(8)
    with caller(program) as ask:
        ask.post("/api/alerts/restarts/silence", json={"for": "2h"}).raise_for_status()
        expect(rules.get_by_role("listitem").filter(has_text="Restarts")).to_contain_text("Silenced until")
        ask.delete("/api/alerts/restarts/silence").raise_for_status()
    expect(rules).not_to_contain_text("Silenced until")


def test_the_health_says_what_lowers_it_and_a_missing_gpu_is_one_line(look: Look) -> None:
    page = look.open("overview")
    expect(part(page, "Health")).to_contain_text("1 alert takes 20 points")
    expect(part(page, "Health")).to_contain_text("GPU: no GPU")
    expect(page.get_by_text("No GPU is shown: performance.gpus is none")).to_be_visible()
    expect(part(page, "APIs")).to_contain_text(re.compile(r"OpenAI API.*\d asked · 0 failed", re.DOTALL))


def test_a_request_is_counted_while_one_looks(look: Look, program: Program) -> None:
    page = look.open("overview")
    apis = part(page, "APIs")
    expect(apis).to_contain_text("OpenAI API")
    assert "Anthropic" not in apis.get_by_role("list").inner_text()
    with caller(program) as ask:
        body = {"model": "one", "max_tokens": 5, "messages": [{"role": "user", "content": "hello"}]}
        ask.post("/v1/messages", json=body).raise_for_status()
    expect(apis.get_by_role("list")).to_contain_text("Anthropic API")


def test_a_phone_reaches_every_view(look: Look) -> None:
    page = look.open("overview")
    look.be(PHONE, "light")
    expect(page.get_by_role("link", name="Performance")).to_be_hidden()
    page.get_by_role("button", name="More").click()
    page.get_by_role("link", name="Performance").click()
    look.drawn("Performance")
    more = page.get_by_role("button", name="Performance, more views")
    expect(more).to_have_attribute("aria-expanded", "false")
    more.click()
    look.shot("more")
    look.accessible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Logs")).to_be_hidden()


@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in finds processes under /proc")
def test_cards_are_shown_and_a_preset_is_previewed_before_it_is_written(chromium: Browser, tmp_path: Path) -> None:
    file, told = Tiny().write(tmp_path / "tiny.gguf"), tmp_path / "nvml.json"
    told.write_text(json.dumps({"cards": CARDS}))
    text = config(model("spread", f"-m {file} -c 8192")) + "performance: {every: 5, gpus: nvidia}\n"
    env = {"FAKE_NVML": str(told), "PYTHONPATH": str(FAKE)}
    with Program(tmp_path, text, watch=False, env=env) as program, Look(chromium, program.url) as look:
        page = look.open("overview")
        cards = part(page, "GPUs")
        expect(cards.get_by_role("listitem")).to_have_count(2)
        expect(cards).to_contain_text("44\u202f°C")
        expect(cards).to_contain_text("1\u202fGB of 24\u202fGB")
        look.inspected("overview-cards")
        look.be(WIDE, "light")
        before = program.path.read_text("utf-8")
        page.get_by_role("button", name="Presets").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Preset").select_option("conservative")
        expect(dialog).to_contain_text(re.compile(r"context\s+8192\s+→\s+4096"))
        expect(dialog.get_by_role("region")).to_contain_text("4096")
        look.inspected("overview-preset")
        assert program.path.read_text("utf-8") == before
        dialog.get_by_role("button", name="Write it").click()
        expect(page.get_by_text("It is written.")).to_be_visible()
        assert "4096" in program.path.read_text("utf-8")


def test_benchmarks_are_run_watched_and_compared(look: Look) -> None:
    page = look.open("overview")
    benches = part(page, "Benchmarks")
    ordered = benches.get_by_role("list", name="Ordered here").get_by_role("listitem")
    for count in (1, 2):
        benches.get_by_role("button", name="Run one").click()
        page.get_by_role("dialog").get_by_label("one", exact=True).check()
        page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
        expect(ordered.filter(has_text="Done")).to_have_count(count)
        expect(benches.get_by_role("list", name="Kept benchmarks").get_by_role("listitem")).to_have_count(count)
    for box in benches.get_by_role("checkbox").all():
        box.check()
    expect(benches.get_by_role("figure").filter(has_text="Until the first token")).to_contain_text(
        "prompt 128, 1 caller"
    )
    benches.scroll_into_view_if_needed()
    look.inspected("overview-benchmarks")
    look.be(WIDE, "light")
    for _ in range(2):
        benches.get_by_role("button", name="Forget it").first.click()
    expect(ordered).to_have_count(0)
    benches.get_by_role("button", name=re.compile("Delete one")).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(benches.get_by_role("list", name="Kept benchmarks").get_by_role("listitem")).to_have_count(1)
