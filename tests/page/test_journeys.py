"""What people come for, from its beginning to its end, on a wide screen and on a phone. Views have tests of their
own."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from llamaswap_py.daemon.builtin import DEMO_MODEL
from tests.page.browser import PHONE, WIDE, Look
from tests.whole.asking import chat
from tests.whole.program import ROOT, Program, config, fake, model

OURS = {"PYTHONPATH": str(ROOT)}
# Ours answers.
ENGINE = f"  first: {{cmd: '${{llama_server}} --port ${{PORT}} -m {DEMO_MODEL} --jinja'}}\n"


def gated(gate: Path) -> str:
    """It loads until somebody writes into the gate."""
    os.mkfifo(gate)
    return f"""  second: {{cmd: "sh -c 'cat {gate} && exec {fake()}'"}}\n"""


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_two_models_that_exclude_each_other_are_swapped_before_ones_eyes(
    width: int, chromium: Browser, tmp_path: Path
) -> None:
    """Every step is seen without a reload, with the engine that comes along: loading, ready, stopped, and why."""
    gate = tmp_path / "gate"
    text = config(ENGINE, gated(gate))
    with Program(tmp_path, text, env=OURS) as program, Look(chromium, program.url, width) as look:
        page = look.open("models")
        page.evaluate("window.same = true")

        def row(name: str) -> Locator:
            return page.get_by_role("listitem").filter(has=page.get_by_role("button", name=name, exact=True))

        first, second = row("first"), row("second")
        assert chat(program, "first", "Who are you?").status_code == 200
        expect(first.get_by_text("Ready", exact=True)).to_be_visible()
        expect(second.get_by_text("Stopped", exact=True)).to_be_visible()
        page.get_by_role("button", name=re.compile("Load second")).click()
        expect(second.get_by_role("progressbar")).to_be_visible()
        gate.write_text("")
        expect(second.get_by_text("Ready", exact=True)).to_be_visible()
        expect(first.get_by_text("Stopped", exact=True)).to_be_visible()
        expect(first).to_contain_text("made room for second")
        page.get_by_role("navigation").get_by_role("link", name="Activity").click()
        expect(page.get_by_role("row", name=re.compile("first"))).to_have_count(1)
        page.evaluate("location.hash = '#/logs'")  # a phone has it behind "More"
        expect(page.locator(".line", has_text="second: ready").first).to_be_visible()
        assert page.evaluate("window.same") is True


def test_a_page_outlives_its_server_and_goes_on_by_itself(chromium: Browser, tmp_path: Path) -> None:
    """Its server is gone, and comes back on the same port with another configuration."""
    with Program(tmp_path, config(model("before"))) as program:
        port = program.url.rpartition(":")[2]
        with Look(chromium, program.url, PHONE) as look:
            look.forgive("ERR_|Failed to load")
            page = look.open("models")
            expect(page.get_by_role("button", name="before", exact=True)).to_be_visible()
            program.__exit__(None, None, None)
            expect(page.get_by_text("The server cannot be reached")).to_be_visible()
            look.fits()
            with Program(tmp_path, config(model("after")), f"--listen=127.0.0.1:{port}"):
                expect(page.get_by_role("button", name="after", exact=True)).to_be_visible()
                expect(page.get_by_role("button", name="before", exact=True)).to_have_count(0)
                expect(page.get_by_text("The server cannot be reached")).to_have_count(0)
