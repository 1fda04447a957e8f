"""The bytes of `/api/events`: llama-swap's framing and payloads, ours under names of their own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llamaswap_py.config.values import Capabilities, Model, Peer
from llamaswap_py.runtime.feed import ConfigLoaded, ConfigRefused, ModelChanged
from llamaswap_py.runtime.standings import Standing
from llamaswap_py.schedule.plan import Phase
from llamaswap_py.server import messages


def inner(event: bytes) -> tuple[str, Any]:
    """The type and the decoded data of one event in llama-swap's framing."""
    assert event.startswith(b'event:message\ndata:{"type":"')
    assert event.endswith(b"}\n\n")
    assert event.count(b"\n") == 3
    outer = json.loads(event.split(b"\ndata:")[1])
    assert list(outer) == ["type", "data"]
    return outer["type"], json.loads(outer["data"])


def standing(model: Model, phase: Phase) -> Standing:
    return Standing(model, phase, 0, None, 0, 0)


@pytest.mark.parametrize("text", ["", "a\nb\r\n\n", '"quoted" \\ \x1b[31m \x00 ü \u2028'])
def test_log_data_is_json_in_json_on_one_line(text: str) -> None:
    assert inner(messages.log_data("proxy", text)) == ("logData", {"data": text, "source": "proxy"})


def test_lost_log_data_says_how_much() -> None:
    kind, data = inner(messages.lost_log_data("upstream", 7))
    assert (kind, data) == ("logData", {"data": "\n— 7 bytes dropped —\n", "source": "upstream"})


def test_model_status_is_sorted_and_knows_llama_swaps_four_words() -> None:
    """A model that failed is stopped in it."""
    phases = [Phase.READY, Phase.FAILED, Phase.STOPPING, Phase.STARTING, Phase.DOWN]
    rows = [standing(Model(f"m{number}", "x"), phase) for number, phase in enumerate(phases)]
    kind, data = inner(messages.model_status(reversed(rows)))
    assert kind == "modelStatus"
    assert [row["id"] for row in data] == ["m0", "m1", "m2", "m3", "m4"]
    assert [row["state"] for row in data] == ["ready", "stopped", "stopping", "starting", "stopped"]


def test_a_row_of_the_model_status() -> None:
    """Aliases only where there are some."""
    model = Model("m", "x", name="Em", description="a model", unlisted=True, aliases=("a", "b"))
    row = {"id": "m", "name": "Em", "description": "a model", "state": "ready", "unlisted": True, "peerID": ""}
    assert messages.status_row(standing(model, Phase.READY)) == {**row, "aliases": ["a", "b"]}
    assert "aliases" not in messages.status_row(standing(Model("m", "x"), Phase.READY))


def test_peers_models_come_last_and_have_no_state() -> None:
    peers = [Peer("far", "http://far", ("b", "a"))]
    _, data = inner(messages.model_status([standing(Model("z", "x"), Phase.READY)], peers))
    assert [row["id"] for row in data] == ["z", "far/b", "far/a"]
    assert (data[1]["state"], data[1]["peerID"]) == ("", "far")


def test_what_a_model_can_do_is_told_where_it_was_said() -> None:
    model = Model("m", "x", capabilities=Capabilities(("image",), ("text",), tools=True, context=4096))
    row = messages.status_row(standing(model, Phase.READY))
    assert row["capabilities"] == {"vision": True, "function_calling": True}
    assert row["context_length"] == 4096
    assert "capabilities" not in messages.status_row(standing(Model("m", "x"), Phase.READY))


def test_the_small_messages() -> None:
    assert inner(messages.ui_config(["X-Session-ID"])) == ("uiConfig", {"activity": {"session_id": ["X-Session-ID"]}})
    assert inner(messages.profile_changed(None)) == ("profileChanged", {"active": None})
    assert inner(messages.profile_changed("night")) == ("profileChanged", {"active": "night"})
    assert inner(messages.inflight({"operation": "snapshot"})) == ("inflight", {"operation": "snapshot"})
    assert inner(messages.activity(7)) == ("activity", {"id": 7})


def test_ours_have_event_names_that_old_pages_do_not_listen_to() -> None:
    swap = messages.swap(ModelChanged("m", 3, Phase.FAILED, "it\ndied", 1.23456), "e-9").decode()
    assert swap.startswith("id:e-9\nevent:swap\ndata:")
    data = json.loads(json.loads(swap.partition("data:")[2])["data"])
    assert data == {"model": "m", "run": 3, "state": "failed", "why": "it\ndied", "seconds": 1.235}


@pytest.mark.parametrize(
    ("news", "state", "mistakes"),
    [(None, "loaded", []), (ConfigLoaded(("m",)), "loaded", []), (ConfigRefused(("no",)), "refused", ["no"])],
)
def test_how_the_configuration_was_read(
    news: ConfigLoaded | ConfigRefused | None, state: str, mistakes: list[str]
) -> None:
    event = messages.config(news).decode()
    assert event.startswith("event:config\ndata:")
    assert json.loads(json.loads(event.partition("data:")[2])["data"]) == {"state": state, "mistakes": mistakes}
