"""What only looks at a model's server: it neither starts the model nor holds it up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.asking import caller, running
from tests.whole.journal import Journal
from tests.whole.program import Program, config, model
from tests.whole.talk import CHAT, chat_body

LOOKS = (
    "/props?model=a",
    "/upstream/a/props",
    "/upstream/a/slots",
    "/upstream/a/metrics",
    "/upstream/a/health",
    "/upstream/a/v1/models",
    "/upstream/a/index.js",
    "/upstream/a/sw.js",
)
LISTS = ("/v1/models", "/running", "/metrics", "/health", "/api/metrics/stats")


def test_f41_looks_and_lists_start_nothing(tmp_path: Path) -> None:
    """409 where a model's server is asked, and an answer of ours where we are."""
    with (
        Journal(tmp_path) as journal,
        Program(tmp_path, config(model("a", journal.option)), watch=False) as program,
        caller(program) as ask,
    ):
        assert {path: ask.get(path).status_code for path in LOOKS} == dict.fromkeys(LOOKS, 409)
        assert {path for path in LISTS if ask.get(path).status_code >= 500} == set()
        assert running(program) == {}
        assert not journal.all("start")


def test_f41_looks_do_not_keep_a_model_from_its_ttl(tmp_path: Path) -> None:
    """Asked without a pause, it is unloaded all the same."""
    with Program(tmp_path, config(model("a", ttl=1)), watch=False) as program, caller(program) as ask:
        ask.post(CHAT, json=chat_body("a", "hello", stream=False)).raise_for_status()
        assert ask.get("/upstream/a/props").status_code == 200
        while ask.get("/upstream/a/slots").status_code != 409:
            ask.get("/props?model=a")
        program.wait_for(r"a: stopping \(idle\)")


def test_f41_looks_need_no_seat(tmp_path: Path) -> None:
    """A server with all its seats taken can still be asked how it is."""
    text = config(model("a", seats=1, concurrencyLimit=1))
    body = chat_body("a", "[fake stall=1]")
    with (
        Program(tmp_path, text, watch=False) as program,
        caller(program) as ask,
        ask.stream("POST", CHAT, json=body) as answer,
    ):
        pieces = answer.iter_raw()
        next(pieces)
        assert ask.get("/upstream/a/props").status_code == 200
        assert running(program)["a"]["seated"] == 1


def test_f41_the_page_of_a_model_starts_it(tmp_path: Path) -> None:
    """As llama-swap's users expect of a bookmark; what the page then asks for does not."""
    with Program(tmp_path, config(model("a")), watch=False) as program, caller(program) as ask:
        ask.get("/upstream/a/")
        assert running(program)["a"]["state"] == "ready"


@pytest.mark.parametrize("path", ["/props?model=a", "/upstream/a/props"])
def test_f41_unless_it_is_configured(path: str, tmp_path: Path) -> None:
    """With an empty list of `quietPaths` a question for properties starts the model, as in llama-swap."""
    text = config(model("a"), upstream="{quietPaths: []}")
    with Program(tmp_path, text, watch=False) as program, caller(program) as ask:
        assert ask.get(path).status_code == 200
