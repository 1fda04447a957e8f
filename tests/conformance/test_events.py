"""Section 5.13: the events that a page hears."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import httpx
import pytest

from tests.conformance.feed import Feed, blocks, message
from tests.conformance.scene import mirror
from tests.whole.program import Program, config

SIX = {"logData", "modelStatus", "uiConfig", "profileChanged", "inflight", "activity"}
MORE = """
groups: {all: {swap: false, members: [beta, alpha, hidden, capable]}}
peers: {far: {proxy: 'http://127.0.0.1:9', models: [theirs]}}
ui: {activity: {session_id: [X-Mine, ' x-mine ', X-Other]}}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(
        mirror("beta", aliases="[nick]", description="about it"),
        mirror("alpha") + "    name: The first\n",
        mirror("hidden", unlisted="true"),
        mirror("capable", capabilities="{in: [text, image], out: [text], context: 4096}"),
    )
    with Program(tmp_path_factory.mktemp("events"), text + MORE, watch=False) as started:
        yield started


@pytest.fixture
def opening(ask: httpx.Client) -> Any:
    """The blocks of six messages of llama-swap's that come on connecting."""
    with ask.stream("GET", "/api/events") as response:
        ours = (block for block in blocks(response.iter_lines()) if message(block).kind in SIX)
        return response.headers, list(islice(ours, 6))


def test_the_head(opening: Any) -> None:
    """An event stream that nobody caches, guesses or holds back."""
    headers, _ = opening
    assert headers["Content-Type"].startswith("text/event-stream")
    assert headers["Cache-Control"] == "no-cache"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Accel-Buffering"] == "no"


@pytest.mark.differs("more events")
def test_the_frame(opening: Any) -> None:
    """`event:message` and `data:` without spaces, as there; an id may stand beside them."""
    for block in opening[1]:
        lines = [line for line in block if not line.startswith(("id:", "retry:"))]
        assert lines[0] == "event:message"
        assert len(lines) == 2
        assert lines[1].startswith('data:{"type":"')


def test_what_comes_on_connecting(opening: Any) -> None:
    """In this order."""
    messages = [message(block) for block in opening[1]]
    assert [each.kind for each in messages] == [
        "logData", "logData", "modelStatus", "uiConfig", "profileChanged", "inflight",
    ]  # fmt: skip
    assert [each.data["source"] for each in messages[:2]] == ["proxy", "upstream"]
    assert all(set(each.data) == {"data", "source"} for each in messages[:2])
    assert messages[3].data == {"activity": {"session_id": ["X-Mine", "X-Other"]}}
    assert messages[4].data == {"active": None}
    assert messages[5].data["operation"] == "snapshot"


def test_the_logs_history_comes_first(program: Program, ask: httpx.Client) -> None:
    """All that was said before."""
    ask.post("/v1/embeddings", json={"model": "alpha"}, headers={"X-Say": "once upon a time"}).raise_for_status()
    with ask.stream("GET", "/logs/stream/upstream") as stream:
        next(piece for piece in stream.iter_text() if "once upon a time" in piece)
    with Feed(program) as feed:
        assert "ready" in feed.wait("logData", lambda data: data["source"] == "proxy")["data"]
        assert "once upon a time" in feed.wait("logData", lambda data: data["source"] == "upstream")["data"]


def test_the_log_as_it_is_written(program: Program, ask: httpx.Client) -> None:
    """From the models, and from the proxy."""
    with Feed(program) as feed:
        before = feed.said
        ask.post("/v1/embeddings", json={"model": "alpha"}, headers={"X-Say": "just now"}).raise_for_status()
        said = feed.wait("logData", lambda data: "just now" in data["data"], before)
        assert said["source"] == "upstream"
        feed.wait("logData", lambda data: data["source"] == "proxy" and "/v1/embeddings" in data["data"], before)


def status(feed: Feed, after: int = 0, /, **wanted: str) -> dict[str, dict[str, Any]]:
    """The first list in which these models have these states."""

    def fits(rows: Any) -> bool:
        states = {row["id"]: row["state"] for row in rows}
        return all(states[name] == state for name, state in wanted.items())

    return {row["id"]: row for row in feed.wait("modelStatus", fits, after)}


def test_the_list_of_models(program: Program, ask: httpx.Client) -> None:
    """All of ours, sorted, listed or not, and then those of peers."""
    ask.get("/unload").raise_for_status()
    with Feed(program) as feed:
        rows = status(feed, alpha="stopped", beta="stopped")
    assert list(rows) == ["alpha", "beta", "capable", "hidden", "far/theirs"]
    assert {"id", "name", "description", "state", "unlisted", "peerID"} <= rows["alpha"].keys()
    assert (rows["alpha"]["name"], rows["beta"]["description"]) == ("The first", "about it")
    assert [row["unlisted"] for row in rows.values()] == [False, False, False, True, False]
    assert rows["beta"]["aliases"] == ["nick"]
    assert "aliases" not in rows["alpha"]
    assert (rows["far/theirs"]["peerID"], rows["far/theirs"]["state"]) == ("far", "")


def test_the_capabilities_of_models(program: Program) -> None:
    """Where there are some."""
    with Feed(program) as feed:
        rows = status(feed)
    assert rows["capable"]["context_length"] == 4096
    assert rows["capable"]["capabilities"]
    assert not {"capabilities", "context_length"} & rows["alpha"].keys()


def test_every_change_of_state(program: Program, ask: httpx.Client) -> None:
    """Starting, ready, stopping, stopped."""
    ask.get("/unload").raise_for_status()
    with Feed(program) as feed:
        for state in ("starting", "ready"):
            ask.post("/v1/embeddings", json={"model": "beta"}).raise_for_status()
            status(feed, beta=state)
        before = feed.said
        ask.post("/api/models/unload/beta").raise_for_status()
        for state in ("stopping", "stopped"):
            status(feed, before, beta=state)


def newer_than(number: int) -> Callable[[Any], bool]:
    return lambda told: bool(told["id"] > number)


def test_a_stored_row(program: Program, ask: httpx.Client) -> None:
    """Its number, which rises by one each time."""
    with Feed(program) as feed:
        newest = ask.get("/api/metrics/activity").json()["total"]  # rows of earlier tests may still be told
        for number in (newest + 1, newest + 2):
            ask.post("/v1/embeddings", json={"model": "alpha"}).raise_for_status()
            assert feed.wait("activity", newer_than(newest)) == {"id": number}
            newest = number


def test_all_who_listen_hear_the_same(program: Program, ask: httpx.Client) -> None:
    """However many."""
    with Feed(program) as one, Feed(program) as other:
        ask.post("/v1/embeddings", json={"model": "alpha"}).raise_for_status()
        assert one.wait("activity") == other.wait("activity")


def test_the_stream_ends_with_the_program(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A page that listens does not hold up the end."""
    started = Program(tmp_path_factory.mktemp("end"), config(mirror("alpha")), watch=False)
    with started, Feed(started) as feed:
        started.process.terminate()
        assert started.process.wait(30) == 0
        feed.reader.join(30)
        assert feed.over
