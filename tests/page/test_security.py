"""What is shown is text, whatever it looks like; and a page of somebody else reads nothing and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.page import browser
from tests.page.browser import Look, until
from tests.page.stranger import TRIES, stranger
from tests.page.test_shell import VIEWS
from tests.whole.asking import caller, chat
from tests.whole.program import Program, config, model

KEY = "the-persons-own"
GET = ["/running", "/v1/models", "/api/events", "/logs", "/api/metrics/activity", "/api/config", "/ui/", "/unload"]
POST = [
    ("/api/models/unload", "{}"),
    ("/models/unload", "{}"),
    ("/api/models/load/other", "{}"),
    ("/api/models/pin/quick", "{}"),
    ("/api/config", '{"text":"models: {}","hash":""}'),
    ("/api/pulls", '{"repo":"a/b"}'),
    ("/upstream/other/v1/chat/completions", '{"model":"other","messages":[]}'),
]
MODELS_DOOR = ("/v1/chat/completions", '{"model":"other","messages":[{"role":"user","content":"hello"}]}')

MARK = "<img src=/nowhere onerror=window.hit=1><script>window.hit=1</script>"
ELEMENTS = "document.querySelectorAll('main img, main script, main iframe, main object').length"


def as_is(program: Program) -> tuple[list[Any], str]:
    """What is up, since when and whether pinned; and what the file says."""
    with caller(program, KEY) as ask:
        running = ask.get("/running").raise_for_status().json()["running"]
    return [(row["model"], row["pid"], row.get("pinned")) for row in running], program.path.read_text()


def visit(context: BrowserContext, url: str, target: str, post: list[tuple[str, str]]) -> list[str]:
    page = context.new_page()
    page.goto(url)
    told: list[str] = page.evaluate(TRIES, [target, GET, post])
    page.close()
    return told


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1"])
def test_a_page_of_somebody_else_reads_and_changes_nothing(name: str, chromium: Browser, tmp_path: Path) -> None:
    """In the browser of a person whose key the browser knows: of another site, and of another port of this one."""
    text = config(model("quick"), model("other")) + f"apiKeys: [{KEY}]\n"
    with Program(tmp_path, text) as program, stranger() as port:
        with caller(program, KEY) as ask:
            ask.post("/api/models/load/quick").raise_for_status()
        with Look(
            chromium, program.url, http_credentials={"username": "me", "password": KEY, "origin": program.url}
        ) as look:
            look.forgive("CORS|Failed to load|refused|WebSocket|elsewhere|ERR_|Cross-Origin|status of 4|frame")
            look.open("models")
            before = as_is(program)
            told = visit(look.context, f"http://{name}:{port}/", program.url, [*POST, MODELS_DOOR])
            expect(look.page.locator(".connection.live")).to_have_count(1)
        assert told == []
        assert as_is(program) == before


def test_a_name_that_leads_here_and_is_not_ours_is_turned_away(chromium: Browser, tmp_path: Path) -> None:
    """A stranger's name server can name this machine's address: then the page is of the same origin, by its name."""
    with Program(tmp_path, config(model("quick"))) as program:
        url = program.url.replace("127.0.0.1", "rebound.example")
        context = chromium.new_context()
        page = context.new_page()
        for path in (*GET, "/ui/"):
            if path != "/v1/models":
                answer = page.goto(f"{url}{path}")
                assert answer is not None
                assert answer.status == 403, path
        context.close()


@pytest.fixture(scope="module")
def hostile(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Everything that has a name or a text has a bad one."""
    folder = tmp_path_factory.mktemp("hostile")
    bad = f"'{MARK}'"
    text = config(
        model(f"'bad {MARK}'", f"--stderr '{MARK}' --alias quiet", description=bad, aliases=f"['a {MARK}']"),
        model("stillborn", f"--exit --exit-code 7 --stderr '{MARK}'"),
    )
    text = text.replace("${MODEL_ID}", "quiet")
    text += f"peers:\n  'far{MARK}':\n    proxy: http://127.0.0.1:9\n    models: ['there {MARK}']\n"
    text += f"groups:\n  'g {MARK}': {{swap: true, members: ['bad {MARK}', stillborn]}}\n"
    with Program(folder, text) as program:
        assert chat(program, f"bad {MARK}", MARK).status_code == 200
        assert chat(program, f"none {MARK}", MARK).status_code == 404
        assert chat(program, "stillborn", MARK).status_code == 502
        program.edit(text + f"'{MARK}': 1\n")
        yield program


@pytest.mark.parametrize("view", [*VIEWS, "models/bad", "logs/bad", "activity/1"])
def test_nothing_that_is_shown_is_markup(view: str, hostile: Program, chromium: Browser) -> None:
    """Ids, names, descriptions, groups, peers, last words, requests, answers and mistakes."""
    with Look(chromium, hostile.url) as look:
        place, _, rest = view.partition("/")
        page = look.open(place)
        if rest == "bad":
            page.goto(f"{hostile.url}/ui/#/{place}/bad%20" + "".join(f"%{byte:02x}" for byte in MARK.encode()))
            expect(page.locator("main")).to_contain_text(MARK)
        elif rest:
            page.goto(f"{hostile.url}/ui/#/{view}")
            expect(page.get_by_role("complementary")).to_contain_text(MARK)
        elif place in ("models", "activity", "configuration"):
            expect(page.locator("main")).to_contain_text("onerror=window.hit=1")
        page.evaluate(browser.DRAWN)
        assert page.evaluate("window.hit") is None
        assert page.evaluate(ELEMENTS) == 0
        assert "<img" not in page.title() or page.locator("title").count() == 1


def test_a_script_that_got_in_would_not_run(hostile: Program, chromium: Browser) -> None:
    """The page's policy is the second door: no inline script, no handler, no code from text, nothing from elsewhere."""
    with Look(chromium, hostile.url) as look:
        look.forgive("Content Security Policy|nowhere|status of 404")
        page = look.open("models")
        answer = page.request.get(f"{hostile.url}/ui/")
        policy = answer.headers["content-security-policy"]
        rules = dict(rule.split(None, 1) for rule in policy.split("; ") if " " in rule)
        assert rules["script-src"] == "'self'"
        assert rules["frame-ancestors"] == "'none'"
        page.evaluate(
            """mark => {
              const place = document.createElement("div");
              place.innerHTML = mark;
              const script = document.createElement("script");
              script.textContent = "window.hit = 2";
              document.body.append(place, script);
              const link = document.createElement("a");
              link.href = "javascript:window.hit=3";
              document.body.append(link);
              link.click();
            }""",
            MARK,
        )
        until(page, "document.querySelector('body > div > img').complete")
        page.evaluate(browser.DRAWN)
        assert page.evaluate("window.hit") is None


def test_no_part_of_the_page_is_made_of_inline_script(hostile: Program, chromium: Browser) -> None:
    with Look(chromium, hostile.url) as look:
        text = look.page.request.get(f"{hostile.url}/ui/").text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"\son\w+=", text) == []
