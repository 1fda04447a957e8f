"""Section 5.6: the list of models."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conformance.scene import mirror
from tests.whole.asking import NO_CERTIFICATES
from tests.whole.program import Program, config

CAPABLE = """
    capabilities: {in: [text, image], out: [text], tools: true, context: 4096}
    metadata: {tier: gold, context_length: 1, nested: {x: [1, two]}, type: mine}
"""
MORE = """
selectors:
  either: {strategy: warm, targets: [plain, Zulu], description: one of two}
  hidden-choice: {strategy: pin, targets: [plain], unlisted: true}
profiles:
  day: {description: by day, pins: {work: plain, plain: Zulu, off: null}}
peers:
  far: {proxy: 'http://127.0.0.1:9', models: [theirs, other/one]}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(
        mirror("plain", aliases="[nick, ' ']", description="' about it '") + "    name: ' Its name '\n",
        mirror("Zulu"),
        mirror("org/thing:7b"),
        mirror("capable") + CAPABLE.lstrip("\n"),
        mirror("ears", capabilities="{in: [audio], out: [text]}"),
        mirror("voice", capabilities="{in: [text], out: [audio]}"),
        mirror("brush", capabilities="{in: [text, image], out: [image]}"),
        mirror("judge", capabilities="{reranker: true}"),
        mirror("hidden", unlisted="true", aliases="[hidden-alias]"),
    )
    with Program(tmp_path_factory.mktemp("list"), text + MORE, watch=False) as started:
        yield started


@pytest.fixture(scope="module")
def with_aliases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(
        mirror("plain", aliases="[nick, abba]", description="about it", ttl=5),
        mirror("hidden", unlisted="true", aliases="[hidden-alias]"),
        includeAliasesInList="true",
    )
    with Program(tmp_path_factory.mktemp("aliases"), text, watch=False) as started:
        yield started


def rows(ask: httpx.Client) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in ask.get("/v1/models").raise_for_status().json()["data"]}


def test_the_frame(ask: httpx.Client) -> None:
    """`data` first, then `object`, and a line's end."""
    response = ask.get("/v1/models")
    assert response.headers["Content-Type"].startswith("application/json")
    assert list(response.json()) == ["data", "object"]
    assert response.json()["object"] == "list"
    assert response.text.endswith("\n")


def test_the_other_spelling(ask: httpx.Client) -> None:
    """/models is the same list."""
    assert ask.get("/models").json()["data"][0].keys() == ask.get("/v1/models").json()["data"][0].keys()
    assert [row["id"] for row in ask.get("/models").json()["data"]] == list(rows(ask))


def test_the_order_is_that_of_the_bytes(ask: httpx.Client) -> None:
    """Capitals before small letters, whoever the model belongs to."""
    assert list(rows(ask)) == sorted(rows(ask), key=str.encode)
    assert next(iter(rows(ask))) == "Zulu"


def test_the_fields_of_every_row(ask: httpx.Client) -> None:
    """As OpenAI's list has them, and in that order."""
    before = int(time.time())
    for row in rows(ask).values():
        assert list(row)[:4] == ["id", "object", "created", "owned_by"]
        assert (row["object"], row["owned_by"]) == ("model", "llama-swap")
        assert before <= row["created"] <= time.time() + 1
        assert list(row)[-2:] == ["meta", "status"]


def test_name_and_description(ask: httpx.Client) -> None:
    """Without the white space around, and absent where there is none."""
    assert (rows(ask)["plain"]["name"], rows(ask)["plain"]["description"]) == ("Its name", "about it")
    assert not {"name", "description"} & rows(ask)["Zulu"].keys()


def test_a_plain_model_has_no_more_than_that(ask: httpx.Client) -> None:
    """Nothing is said about what is not known."""
    assert list(rows(ask)["Zulu"]) == ["id", "object", "created", "owned_by", "meta", "status"]
    assert rows(ask)["Zulu"]["meta"] == {"llamaswap": {"type": "model"}}


def test_aliases_are_metadata(ask: httpx.Client) -> None:
    """Where they are no rows of their own."""
    assert rows(ask)["plain"]["meta"]["llamaswap"]["aliases"] in (["nick"], ["nick", " "])
    assert "nick" not in rows(ask)


def test_an_unlisted_model_is_not_there(ask: httpx.Client) -> None:
    """Nor its alias."""
    assert not {"hidden", "hidden-alias"} & rows(ask).keys()


def test_metadata(ask: httpx.Client) -> None:
    """What the file says, but for names that the program itself or the capabilities set."""
    told = rows(ask)["capable"]["meta"]["llamaswap"]
    assert told == {"type": "model", "tier": "gold", "nested": {"x": [1, "two"]}}


def test_capabilities(ask: httpx.Client) -> None:
    """All that follows from them."""
    row = rows(ask)["capable"]
    assert row["architecture"] == {
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "modality": "text+image->text",
    }
    assert row["capabilities"] == {"vision": True, "function_calling": True}
    assert row["supported_parameters"] == ["tools", "tool_choice"]
    assert row["context_length"] == 4096
    assert row["meta"]["n_ctx"] == 4096


FLAGS = {
    "ears": {"audio_transcriptions": True},
    "voice": {"audio_speech": True},
    "brush": {"vision": True, "image_generation": True, "image_to_image": True},
    "judge": {"reranker": True},
}


@pytest.mark.parametrize(("name", "flags"), FLAGS.items(), ids=FLAGS)
def test_flags_of_capabilities(ask: httpx.Client, name: str, flags: dict[str, bool]) -> None:
    """From what goes in and what comes out."""
    assert rows(ask)[name]["capabilities"] == flags


def test_loaded_and_unloaded(ask: httpx.Client) -> None:
    """Every row says which, in one word."""
    ask.get("/unload").raise_for_status()
    assert {row["status"]["value"] for row in rows(ask).values()} == {"unloaded"}
    ask.post("/v1/embeddings", json={"model": "org/thing:7b"}).raise_for_status()
    assert [name for name, row in rows(ask).items() if row["status"] == {"value": "loaded"}] == ["org/thing:7b"]


@pytest.mark.differs("pages of other origins")
def test_any_page_may_read_the_list(ask: httpx.Client) -> None:
    """There the Origin is repeated; `*` lets in the same."""
    response = ask.get("/v1/models", headers={"Origin": "http://app.example"})
    assert response.headers.get_list("Access-Control-Allow-Origin") == ["*"]


def test_aliases_as_rows(with_aliases: Program) -> None:
    """With includeAliasesInList each is a row that names its model; those of an unlisted model are not there."""
    list_ = httpx.get(f"{with_aliases.url}/v1/models", trust_env=False, verify=NO_CERTIFICATES).json()["data"]
    assert [row["id"] for row in list_] == ["abba", "nick", "plain"]
    assert list_[1]["meta"]["llamaswap"] == {"type": "alias", "modelID": "plain"}
    assert list_[2]["meta"]["llamaswap"] == {"type": "model", "aliases": ["nick", "abba"]}
    assert list_[1]["description"] == "about it"


def test_a_selector_is_a_row(ask: httpx.Client) -> None:
    """With its strategy and targets, loaded when one of them is; an unlisted one is not there."""
    ask.get("/unload").raise_for_status()
    row = rows(ask)["either"]
    assert row["meta"]["llamaswap"] == {"type": "selector", "strategy": "warm", "targets": ["plain", "Zulu"]}
    assert (row["description"], row["status"]["value"]) == ("one of two", "unloaded")
    assert "hidden-choice" not in rows(ask)
    ask.post("/v1/embeddings", json={"model": "Zulu"}).raise_for_status()
    assert rows(ask)["either"]["status"]["value"] == "loaded"


@pytest.mark.parametrize("name", ["theirs", "other/one"])
def test_a_peers_model_is_a_row(ask: httpx.Client, name: str) -> None:
    """Under its full name, with whose it is, and never loaded."""
    row = rows(ask)[f"far/{name}"]
    assert row["name"] == f"far: {name}"
    assert row["meta"]["llamaswap"] == {"type": "peer", "peerID": "far"}
    assert row["status"]["value"] == "unloaded"


def test_pins_of_the_active_profile_are_rows(ask: httpx.Client) -> None:
    """Those with a target that shadow no known name; and none when no profile is active."""
    try:
        ask.put("/api/profiles/active", json={"name": "day"}).raise_for_status()
        assert rows(ask)["work"]["meta"]["llamaswap"]["type"] == "profile"
        assert rows(ask)["plain"]["meta"]["llamaswap"]["type"] == "model"
        assert "off" not in rows(ask)
    finally:
        ask.put("/api/profiles/active", json={"name": None})
    assert "work" not in rows(ask)
