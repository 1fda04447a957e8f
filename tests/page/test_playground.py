"""The playground: a chat with the demonstration model, stopped and asked again; models side by side; answers that mean
harm; and what else models can be asked for."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.speaker import HELLO, png, wav
from tests.page.browser import PHONE, WIDE, Look, until
from tests.whole.program import OWN_PORTS, ROOT, Program, fake

pytest.importorskip("xllamacpp", reason="the engine's library is not installed on this platform")

SPEAKER = f"{sys.executable} -S {ROOT / 'tests' / 'fakes' / 'speaker.py'} --port ${{PORT}}"
TEXT = f"""
startPort: {OWN_PORTS}
models:
  demo:
    cmd: ${{llama_server}} --model ${{demo_model}} --alias ${{MODEL_ID}} --port ${{PORT}} --temp 0 --threads 1
    description: Answers questions about this project
  speaker: {{cmd: "{SPEAKER}", capabilities: {{in: [text, image], out: [text], tools: true}}}}
  second: {{cmd: "{SPEAKER}"}}
  beside: {{cmd: "{SPEAKER}"}}
  bge-small: {{cmd: "{SPEAKER}"}}
  ranker: {{cmd: "{SPEAKER}", capabilities: {{in: [text], reranker: true}}}}
  voice: {{cmd: "{SPEAKER}", capabilities: {{in: [text], out: [audio]}}}}
  ear: {{cmd: "{SPEAKER}", capabilities: {{in: [audio], out: [text]}}}}
  painter: {{cmd: "{SPEAKER}", capabilities: {{in: [text], out: [image]}}}}
  sluggish: {{cmd: "{fake()}"}}
  sleeper: {{cmd: "{fake("--listen-after 3600")}"}}
  stillborn: {{cmd: "{fake("--exit --exit-code 7 --stderr missing")}"}}
groups:
  large: {{members: [demo, speaker, second, stillborn]}}
  small:
    members: [beside, bge-small, ranker, voice, ear, painter, sleeper, sluggish]
    swap: false
    exclusive: false
    persistent: true
"""


@pytest.fixture(scope="module")
def program(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    env = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin", "LLAMA_SERVER": ""}
    with Program(tmp_path_factory.mktemp("playground"), TEXT, env=env) as started:
        yield started


@pytest.fixture
def look(program: Program, chromium: Browser) -> Iterator[Look]:
    with Look(chromium, program.url) as opened:
        yield opened


def ask(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def answered(page: Page, times: int = 1) -> None:
    """So many answers are over."""
    expect(page.get_by_role("button", name="Regenerate")).to_have_count(times)


def test_a_chat_is_streamed_and_has_its_figures(look: Look) -> None:
    page = look.open("playground/demo")
    ask(page, "How do I add a model?")
    expect(page.get_by_role("region", name="Answer of demo")).to_contain_text(re.compile(r"\w+ \w+"))
    answered(page)
    figures = page.locator("footer dl")
    for name in ("in", "out", "speed", "first token", "total", "load", "memory"):
        expect(figures.get_by_text(name, exact=True)).to_have_count(1)
    expect(figures).to_contain_text(re.compile(r"out ?\d+ tok.*speed ?[\d,.]+\W?tok/s"))
    ask(page, "And how do I stop it?")
    answered(page, 2)
    look.inspected("playground-chat")


def test_an_answer_is_stopped_and_asked_again(look: Look) -> None:
    page = look.open("playground/speaker")
    ask(page, "merge, and hold")
    expect(page.get_by_role("heading", name="Merging two sorted lists")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Stopped.", exact=True)).to_be_visible()
    page.get_by_role("button", name="Regenerate").click()
    expect(page.get_by_text("2/2")).to_be_visible()
    page.get_by_role("button", name="Stop answering").click()
    page.get_by_role("button", name="Edit your message").click()
    page.get_by_label("Your message", exact=True).fill("hello")
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text(f"{HELLO} You sent 5 characters.").first).to_be_visible()
    answered(page)


BOX = "document.querySelector('.thread')"


def test_who_scrolled_up_is_left_there_while_more_is_written(look: Look) -> None:
    page = look.open("playground/sluggish")
    ask(page, "[fake words=100000 interval=0.002]")
    until(page, f"{BOX}.scrollTop > 200")
    page.locator(".thread").hover()
    page.mouse.wheel(0, -150)
    end = page.get_by_role("button", name="To the end")
    expect(end).to_be_visible()
    top, height = page.evaluate(f"[{BOX}.scrollTop, {BOX}.scrollHeight]")
    until(page, f"{BOX}.scrollHeight > {height + 100}")
    assert page.evaluate(f"{BOX}.scrollTop") == top
    end.click()
    until(page, f"{BOX}.scrollHeight - {BOX}.scrollTop - {BOX}.clientHeight < 60")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Stopped.", exact=True)).to_be_visible()


def test_thinking_is_apart_and_unfolds(look: Look) -> None:
    page = look.open("playground/speaker")
    ask(page, "think")
    answered(page)
    thoughts = page.get_by_role("region", name="Answer of speaker").get_by_text("a walk with two places")
    expect(thoughts).to_be_hidden()
    page.get_by_text("Thought").click()
    expect(thoughts).to_be_visible()
    expect(page.locator(".markdown strong")).to_have_text("one walk")


def test_waiting_is_told_as_it_is_and_can_be_given_up(look: Look) -> None:
    page = look.open("playground/sleeper")
    ask(page, "hello")
    expect(page.get_by_text("Loading sleeper").first).to_be_visible()
    look.inspected("playground-loading")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Stopped.", exact=True)).to_be_visible()


def test_a_model_that_cannot_start_says_why_and_what_to_do(look: Look) -> None:
    look.forgive("status of 50[23]")
    page = look.open("playground/stillborn")
    ask(page, "hello")
    trouble = page.get_by_role("alert")
    expect(trouble).to_contain_text("exit code 7")
    expect(trouble.get_by_role("link", name="Logs")).to_have_attribute("href", "#/logs/stillborn")
    look.inspected("playground-failed")


def test_models_are_compared_side_by_side(look: Look) -> None:
    """Those that exclude each other one after the other, and that is said."""
    page = look.open("playground/speaker?with=second%2Cbeside")
    expect(page.get_by_text("speaker and beside are asked at once, then second")).to_be_visible()
    ask(page, "merge")
    answered(page, 3)
    expect(page.get_by_role("heading", name="Merging two sorted lists")).to_have_count(3)
    look.inspected("playground-compare")
    expect(page.get_by_role("button", name="3 models")).to_be_visible()
    look.be(WIDE, "light")
    page.reload()
    look.drawn()
    expect(page.get_by_role("list", name="Compared models").get_by_role("listitem")).to_have_count(3)


def test_an_answer_that_means_harm_is_only_text(look: Look, program: Program) -> None:
    page = look.open("playground/speaker")
    ask(page, "hostile")
    answered(page)
    answer = page.get_by_role("region", name="Answer of speaker")
    expect(answer.get_by_role("link")).to_have_count(3)
    expect(answer).to_contain_text("http://127.0.0.1:9/tracker.png?secret")
    expect(answer).to_contain_text("window.harmed = 'script'")
    expect(answer.locator("img, script, style, form, input, iframe, [onerror], [onload], [style*=url]")).to_have_count(
        0
    )
    assert page.evaluate("window.harmed") is None
    addresses = {link.get_attribute("href") or "" for link in answer.get_by_role("link").all()}
    assert {address.split(":")[0] for address in addresses} == {"http"}
    for link in answer.get_by_role("link").all():
        assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    look.inspected("playground-hostile")


def test_conversations_stay_in_this_browser(look: Look) -> None:
    page = look.open("playground/speaker")
    ask(page, "hello")
    expect(page.get_by_role("status").filter(has_text="speaker answered:")).to_be_attached()  # by then it is kept
    page.reload()
    look.drawn()
    shelf = page.get_by_role("complementary", name="Conversations")
    shelf.get_by_role("button", name="hello", exact=False).first.click()
    expect(page.get_by_text(f"{HELLO} You sent 5 characters.").first).to_be_visible()
    shelf.get_by_role("button", name="More for hello").click()
    with page.expect_download() as saved:
        shelf.get_by_role("button", name="JSON").click()
    assert json.loads(saved.value.path().read_text())["turns"][0]["text"] == "hello"
    shelf.get_by_role("button", name="Rename").click()
    page.get_by_label("Name of the conversation").fill("Greetings")
    page.keyboard.press("Enter")
    shelf.get_by_role("button", name="More for Greetings").click()
    shelf.get_by_role("button", name="Delete").click()
    shelf.get_by_role("button", name="Delete", exact=True).click()
    expect(shelf.get_by_text("Conversations stay in this browser")).to_be_visible()


def test_images_and_texts_are_attached_where_the_model_takes_them(look: Look, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "b.txt").write_text("A small text.")
    (tmp_path / "c.wav").write_bytes(wav())
    page = look.open("playground/speaker")
    page.get_by_label("Files to attach").set_input_files([tmp_path / "a.png", tmp_path / "b.txt", tmp_path / "c.wav"])
    expect(page.get_by_role("alert")).to_contain_text("speaker takes no audio")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    page.get_by_role("button", name="Without c.wav").click()
    ask(page, "What is it?")
    answered(page)
    expect(page.get_by_text(HELLO).first).to_be_visible()
    expect(page.get_by_role("img", name="a.png")).to_be_visible()


def test_settings_are_sent_and_the_model_is_chosen_by_keyboard(look: Look) -> None:
    page = look.open("playground")
    page.get_by_role("button", name="Model:").press("Enter")
    page.get_by_role("searchbox", name="Search models").fill("beside")
    page.get_by_role("dialog").get_by_role("button", name="beside").press("Enter")
    expect(page).to_have_url(re.compile(r"#/playground/beside$"))
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("textbox", name="System prompt").fill("Be brief")
    page.get_by_label("Temperature").fill("0.4")
    look.inspected("playground-settings")
    page.get_by_role("button", name="Done").click()
    with page.expect_request("**/v1/chat/completions") as asked:
        ask(page, "hello")
    body = json.loads(asked.value.post_data or "")
    assert body["temperature"] == 0.4
    assert body["messages"][0] == {"role": "system", "content": "Be brief"}
    answered(page)


def test_vectors_ranks_speech_writing_and_pictures(look: Look, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav())
    page = look.open("playground?task=embeddings")
    page.get_by_role("button", name="Make 3 vectors").click()
    expect(page.get_by_text("64 dimensions")).to_be_visible()
    expect(page.get_by_role("row").nth(1)).to_contain_text("1.00")
    look.inspected("playground-embeddings")
    look.open("playground?task=rerank")
    page.get_by_role("button", name="Rank them").click()
    expect(page.get_by_role("region", name="Ranks").get_by_role("listitem").first).to_contain_text("To load a model")
    look.inspected("playground-rerank")
    look.open("playground?task=speech")
    page.get_by_role("button", name="Speak").click()
    expect(page.get_by_role("region", name="Spoken")).to_contain_text("7.9")
    look.inspected("playground-speech")
    look.open("playground?task=transcription")
    page.get_by_label("Recording").set_input_files(tmp_path / "a.wav")
    page.get_by_role("button", name="Write it down").click()
    expect(page.get_by_text("A recording of")).to_be_visible()
    look.inspected("playground-transcription")
    look.open("playground?task=images")
    page.get_by_role("button", name="Draw").click()
    expect(page.get_by_role("img", name="A lighthouse")).to_be_visible()
    look.inspected("playground-images")


def test_with_keys_the_browser_asks_for_one_and_answers_come(chromium: Browser, tmp_path: Path) -> None:
    text = f'apiKeys: [sesame]\nstartPort: {OWN_PORTS + 50}\nmodels: {{one: {{cmd: "{SPEAKER}"}}}}\n'
    key = {"username": "anybody", "password": "sesame"}
    with Program(tmp_path, text) as program, Look(chromium, program.url, http_credentials=key) as look:
        page = look.open("playground/one")
        ask(page, "hello")
        answered(page)
        expect(page.get_by_text(f"{HELLO} You sent 5 characters.").first).to_be_visible()


def test_what_nobody_can_do_is_said_with_what_to_write(chromium: Browser, tmp_path: Path) -> None:
    with (
        Program(tmp_path, f'models: {{one: {{cmd: "{SPEAKER}"}}}}\n') as program,
        Look(chromium, program.url, PHONE) as look,
    ):
        page = look.open("playground?task=images")
        expect(page.get_by_text("out: [image]")).to_be_visible()
        look.open("playground/nobody")
        expect(page.get_by_text("There is no model nobody")).to_be_visible()
