"""The configuration on the page: edited with a mistake and without, kept from overwriting, taken back, added to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from llamaswap_py.daemon.builtin import DEMO_MODEL
from tests.library.pull.pulls import REPO, hub_of
from tests.page.browser import PHONE, Look
from tests.whole.asking import chat
from tests.whole.program import ROOT, Program, config, model
from tests.whole.test_pulls_api import SIZE, served, stopped_half_way

OURS = {"PYTHONPATH": str(ROOT)}
HOSTILE = "<img src=/nowhere onerror=alert(1)>"
TEXT = "# mine\n" + config(model("writer", ttl=600), model("reader"))


def line(page: Page, text: str) -> Locator:
    return page.locator(".cm-line", has_text=text)


def append(page: Page, to: str, text: str) -> None:
    """Typed behind a line."""
    line(page, to).last.click()
    page.keyboard.press("End")
    page.keyboard.type(text)


def erase(page: Page, count: int) -> None:
    for _ in range(count):
        page.keyboard.press("Backspace")


def edited(page: Page) -> None:
    expect(page.locator(".cm-content")).to_be_visible()


def review(page: Page) -> Locator:
    page.get_by_role("button", name="Review and save").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="What it does")).to_be_visible()
    return dialog


def test_a_text_is_edited_with_a_mistake_and_then_without(chromium: Browser, tmp_path: Path) -> None:
    """It is told at once where the mistake is, and before saving what that does; saved is what was written."""
    with Program(tmp_path, TEXT, watch=False) as program, Look(chromium, program.url) as look:
        assert chat(program, "writer", "hello").status_code == 200
        page = look.open("configuration", "Configuration")
        edited(page)
        line(page, "ttl: 600").get_by_text("ttl").hover()
        expect(page.locator(".about-key")).to_contain_text("Unload after so long without use.")
        append(page, "ttl: 600", "soon")
        expect(page.get_by_text("1 mistake")).to_be_visible()
        region = page.get_by_role("region", name="Mistakes and warnings")
        expect(region).to_contain_text("models.writer.ttl")
        expect(page.locator(".cm-lintRange-error")).to_have_text("600soon")
        look.inspected("configuration-mistake")
        look.be(1440, "light")
        append(page, "# mine", ", too")
        region.get_by_role("button").click()
        page.keyboard.press("End")
        erase(page, 4)
        page.keyboard.press("Enter")
        page.keyboard.type("con")
        page.get_by_role("option", name="concurrencyLimit").click()
        page.keyboard.type("4")
        for model_id in ("writer", "reader"):
            line(page, f"  {model_id}:").click()
            page.keyboard.press("ArrowDown")
            page.keyboard.press("End")
            page.keyboard.type(" --name other")
        expect(page.get_by_text("No mistakes")).to_be_visible()
        dialog = review(page)
        expect(dialog).to_contain_text("reader cmd")
        expect(dialog).to_contain_text("It is not up: nothing is restarted.")
        expect(dialog).to_contain_text("writer cmd concurrencyLimit")
        expect(dialog).to_contain_text("It is up now: it is stopped, and started anew for its next caller.")
        look.inspected("configuration-review")
        look.be(1440, "light")
        dialog.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("config.yaml is saved. It is in force.")).to_be_visible()
        expect(page.get_by_role("button", name="Review and save")).to_be_disabled()
        said = TEXT.replace("# mine", "# mine, too").replace("ttl: 600\n", "ttl: 600\n    concurrencyLimit: 4\n")
        assert program.path.read_text() == said.replace("${MODEL_ID}\n", "${MODEL_ID} --name other\n")


def test_what_somebody_else_saved_is_not_overwritten(chromium: Browser, tmp_path: Path) -> None:
    """Both changes are shown, and put together where they can be; earlier texts can be taken again."""
    with Program(tmp_path, TEXT) as program, Look(chromium, program.url, PHONE) as look:
        page = look.open("configuration", "Configuration")
        edited(page)
        append(page, "# mine", ", too")
        theirs = TEXT + "    ttl: 7\n"
        program.edit(theirs)
        page.get_by_role("button", name="Look at both").click()
        expect(page.get_by_role("region", name="What they changed")).to_contain_text("ttl: 7")
        expect(page.get_by_role("region", name="What you changed")).to_contain_text("# mine, too")
        look.inspected("configuration-conflict")
        page.get_by_role("button", name="Keep both").click()
        dialog = review(page)
        expect(dialog).to_contain_text("Nothing that runs is touched")
        dialog.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("config.yaml is saved.")).to_be_visible()
        assert program.path.read_text() == theirs.replace("# mine", "# mine, too")

        page.get_by_role("link", name="History").click()
        rows = page.locator("ol > li")
        expect(rows).to_have_count(3)
        expect(rows.nth(0)).to_contain_text("saved from the page")
        expect(rows.nth(1)).to_contain_text("adjusted reader")
        rows.nth(2).get_by_role("button").click()
        look.inspected("configuration-history")
        page.get_by_role("button", name="Take it again …").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("reader ttl")
        dialog.get_by_role("button", name="Take it again").click()
        expect(rows).to_have_count(4)
        expect(rows.nth(0)).to_contain_text("taken again")
        assert program.path.read_text() == TEXT


def test_a_model_is_downloaded_and_written_down(chromium: Browser, tmp_path: Path) -> None:
    """Its progress is seen, then the file; the lines that would be written are shown before they are."""
    (tmp_path / "models").mkdir()
    here = tmp_path / "models" / "Tiny-Q8_0.gguf"
    shutil.copy(DEMO_MODEL, here)
    os.utime(here, (1, 1))
    with hub_of(SIZE) as hub, served(tmp_path, hub, TEXT) as (program, _), Look(chromium, program.url) as look:
        page = look.open("configuration/add", "Configuration")
        stopped_half_way(hub)
        page.get_by_label("Repository on Hugging Face").fill(REPO)
        page.get_by_role("button", name="Download", exact=True).click()
        expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "50")
        look.shot("configuration-pull")
        hub.released.set()
        expect(page.get_by_text(f"in {tmp_path / 'models'}")).to_be_visible()
        page.locator("button.candidate", has_text=str(here)).click()
        page.get_by_label("Id", exact=True).fill("tiny")
        page.get_by_label("Unload after").fill("5m")
        expect(page.get_by_role("region", name="What would be written")).to_contain_text('ttl: "5m"')
        look.inspected("configuration-add")
        look.be(1440, "light")
        page.get_by_role("button", name="Put it into the editor").click()
        edited(page)
        dialog = review(page)
        expect(dialog).to_contain_text("tiny")
        dialog.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("config.yaml is saved. It is in force.")).to_be_visible()
        said = program.path.read_text()
        assert said.startswith(TEXT)
        assert str(here) in said


def test_a_file_of_a_folder_is_chosen_and_one_begun(chromium: Browser, tmp_path: Path) -> None:
    """And what stands in a file is text, whatever it looks like."""
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.yaml").write_text(TEXT)
    (folder / "b.yaml").write_text(f"# {HOSTILE}\nmodels: {{}}\n")
    with (
        Program(tmp_path, None, f"--config-dir={folder}", env=OURS) as program,
        Look(chromium, program.url) as look,
    ):
        page = look.open("configuration", "Configuration")
        edited(page)
        page.get_by_label("File", exact=True).select_option("b.yaml")
        expect(line(page, HOSTILE)).to_be_visible()
        append(page, "models: {}", f"\n'{HOSTILE}': 1")
        expect(page.get_by_role("region", name="Mistakes and warnings")).to_contain_text(HOSTILE)
        page.get_by_role("button", name="Undo all").click()
        page.get_by_label("File", exact=True).select_option("New file …")
        page.get_by_label("Its name").fill("c.yaml")
        page.get_by_role("button", name="Begin it").click()
        expect(page.get_by_text("it is made when you save")).to_be_visible()
        page.locator(".cm-content").click()
        page.keyboard.insert_text("globalTTL: 60\n")
        expect(page.get_by_text("No mistakes")).to_be_visible()
        review(page).get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("c.yaml is saved.")).to_be_visible()
        assert (folder / "c.yaml").read_text() == "globalTTL: 60\n"


def test_where_there_is_no_file_what_is_served_becomes_one(chromium: Browser, tmp_path: Path) -> None:
    with Program(tmp_path, None, env=OURS) as program, Look(chromium, program.url, PHONE) as look:
        page = look.open("configuration", "Configuration")
        edited(page)
        expect(page.get_by_text("There is no configuration file yet")).to_be_visible()
        look.shot("configuration-none")
        review(page).get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("config.yaml is saved.")).to_be_visible()
        assert "discover: [models" in (tmp_path / "config.yaml").read_text()
