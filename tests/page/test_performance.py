"""How the page shows what the machine does and how fast models answer: in pictures, in words, and as tables."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.page.browser import Look
from tests.whole.asking import chat
from tests.whole.program import Program, config, model

NVML = Path(__file__).resolve().parents[1] / "fakes" / "nvml"
GIB = 2**30
CARD = {"name": "Fake card", "uuid": "GPU-1", "memory": [2 * GIB, 8 * GIB], "temperature": 44}
TEXT = config(model("quick"), model("slow", "--load-seconds 1")) + "performance: {every: 5, gpus: nvidia}\n"


@pytest.fixture(scope="module")
def program(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("performance")
    told = folder / "nvml.json"
    told.write_text(json.dumps({"cards": [CARD], "processes_named": ["nobody", 0]}))
    with Program(folder, TEXT, env={"FAKE_NVML": str(told), "PYTHONPATH": str(NVML)}) as started:
        for words in range(2, 12):
            assert chat(started, "quick", f"[fake words={words} first=0.0{words}]").status_code == 200
        assert chat(started, "slow", "hello").status_code == 200
        yield started


def test_the_machine_is_drawn_told_in_words_and_as_a_table(program: Program, chromium: Browser) -> None:
    with Look(chromium, program.url) as look:
        page = look.open("performance")
        machine = page.get_by_role("region", name="Machine")
        chart = machine.get_by_role("img", name=re.compile("Memory: This machine .*llamaswap .*slow .*B"))
        expect(chart.locator("canvas")).to_be_visible()
        expect(machine.get_by_role("img", name=re.compile(r"Processor.*llamaswap [\d.]+\s%"))).to_be_visible()
        if sys.platform == "linux":
            expect(machine.get_by_text(re.compile(r"2\sGB of 8\sGB · 44 °C"))).to_be_visible()
        machine.get_by_text("As a table").nth(1).click()
        expect(machine.get_by_role("table").get_by_role("columnheader", name="llamaswap")).to_be_visible()
        machine.get_by_text("As a table").nth(1).click()
        look.inspected("performance")


def test_how_fast_each_model_answers_and_what_its_loads_cost(program: Program, chromium: Browser) -> None:
    with Look(chromium, program.url) as look:
        page = look.open("performance")
        requests = page.get_by_role("region", name="Requests")
        row = requests.get_by_role("row", name=re.compile("quick"))
        expect(row).to_contain_text("10")
        expect(requests.get_by_role("row", name=re.compile("slow"))).to_contain_text(re.compile(r"\d(\.\d)?\ss"))
        expect(requests.get_by_role("img", name=re.compile("By the hour: .* for loads"))).to_be_visible()
        row.get_by_role("button").click()
        expect(page).to_have_url(re.compile("model=quick"))
        expect(requests.get_by_role("img", name=re.compile("Until the first token: half below"))).to_be_visible()
        expect(requests.get_by_text("Time that callers lost")).to_have_count(0)
        chat(program, "quick", "one more, which is told by an event")
        expect(row).to_contain_text("11")
        page.goto(f"{program.url}/ui/#/performance?since=1h")
        expect(requests.get_by_role("button", name="Hour")).to_have_attribute("aria-pressed", "true")


def test_what_is_not_there_is_said_in_a_line(chromium: Browser, tmp_path: Path) -> None:
    text = config(model("quick")) + "performance: {disabled: true}\n"
    with Program(tmp_path, text) as program, Look(chromium, program.url) as look:
        look.forgive("503")
        page = look.open("performance")
        expect(page.get_by_text("Measuring is switched off")).to_be_visible()
        expect(page.get_by_text("No GPU is seen on this machine")).to_be_visible()
        expect(page.get_by_text("No request in this time")).to_be_visible()
