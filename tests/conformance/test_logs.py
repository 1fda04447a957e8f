"""Sections 5.8 and 7: the logs, what goes into which, and how a line looks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conformance.scene import Quiet, mirror
from tests.whole.asking import caller, openai_shape
from tests.whole.program import Program, config


def configuration(**keys: object) -> str:
    models = (mirror("alpha"), mirror("org/thing:7b", aliases="[short, 'a/b']"), mirror("org"))
    return config(*models, **keys) + "groups: {all: {swap: false, members: [alpha, org, 'org/thing:7b']}}\n"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("logs"), configuration(logToStdout="both"), watch=False) as started:
        yield started


def say(ask: httpx.Client, name: str, line: str) -> None:
    ask.post("/v1/embeddings", json={"model": name}, headers={"X-Say": line}).raise_for_status()


def until(response: httpx.Response, pattern: str) -> str:
    """What a log stream says up to what is waited for."""
    got = ""
    for piece in response.iter_text():
        got += piece
        if re.search(pattern, got):
            return got
    raise AssertionError(f"the stream ended without {pattern!r}: {got}")


def test_the_history(ask: httpx.Client) -> None:
    """/logs is text, and ends."""
    say(ask, "alpha", "first words")
    with ask.stream("GET", "/logs/stream") as stream:
        until(stream, "first words")
    response = ask.get("/logs")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    assert "first words" in response.text


@pytest.mark.parametrize("accept", ["text/html", "text/html,application/xhtml+xml,*/*;q=0.8"])
def test_a_browser_is_sent_to_the_page(ask: httpx.Client, accept: str) -> None:
    """It shows the logs better."""
    response = ask.get("/logs", headers={"Accept": accept})
    assert (response.status_code, response.headers.get("Location")) == (302, "/ui/")


STREAMS = ["", "/", "/proxy", "/upstream", "/alpha", "/org/thing:7b", "/short", "/a/b"]


@pytest.mark.parametrize("which", STREAMS)
def test_a_stream(ask: httpx.Client, which: str) -> None:
    """Text as it comes, never held back, never guessed to be something else."""
    for name in ("alpha", "org/thing:7b"):
        say(ask, name, "to begin with")
    with ask.stream("GET", f"/logs/stream{which}") as stream:
        assert stream.status_code == 200
        assert stream.headers["Content-Type"].startswith("text/plain")
        assert stream.headers["X-Content-Type-Options"] == "nosniff"
        assert stream.headers["X-Accel-Buffering"] == "no"
        assert stream.headers["Transfer-Encoding"] == "chunked"
        until(stream, r"ready after|to begin with")


MODEL_STREAMS = {"alpha": "alpha", "org/thing:7b": "org/thing:7b", "short": "org/thing:7b", "a/b": "org/thing:7b"}


@pytest.mark.parametrize(("which", "name"), MODEL_STREAMS.items(), ids=MODEL_STREAMS)
def test_a_models_stream_is_that_models_alone(ask: httpx.Client, which: str, name: str) -> None:
    """By id or alias; a name with slashes is not cut short to a model that is its beginning."""
    for other in ("alpha", "org", "org/thing:7b"):
        say(ask, other, f"from {other}.")
    with ask.stream("GET", f"/logs/stream/{which}") as stream:
        got = until(stream, re.escape(f"from {name}."))
    assert set(re.findall(r"from (\S+)\.\n", got)) == {name}


def test_a_stream_goes_on(ask: httpx.Client) -> None:
    """History first, then what comes."""
    say(ask, "alpha", "said before")
    with ask.stream("GET", "/logs/stream/alpha") as stream, ask.stream("GET", "/logs/stream/alpha") as again:
        assert "said before" in until(stream, "said before")
        say(ask, "alpha", "said after")
        assert "said before" in until(again, "said after")


@pytest.mark.parametrize("query", ["no-history", "no-history=1", "no-history=false"])
def test_a_stream_without_history(ask: httpx.Client, query: str) -> None:
    """Whatever the value of the parameter."""
    say(ask, "alpha", "long ago")
    with ask.stream("GET", "/logs/stream/alpha") as stream:
        until(stream, "long ago")
    with ask.stream("GET", f"/logs/stream/alpha?{query}") as stream:
        say(ask, "alpha", "right now")
        assert "long ago" not in until(stream, "right now")


def test_a_models_log_outlives_its_process(ask: httpx.Client) -> None:
    """It is the model's, not the process's."""
    say(ask, "org", "of the first life")
    with ask.stream("GET", "/logs/stream/org") as stream:
        until(stream, "of the first life")
    ask.post("/api/models/unload/org").raise_for_status()
    say(ask, "org", "of the second life")
    with ask.stream("GET", "/logs/stream/org") as stream:
        assert "of the first life" in until(stream, "of the second life")


@pytest.mark.parametrize("name", ["nobody", "alpha/x", "proxy/x", "upstream/x"])
def test_an_unknown_stream(ask: httpx.Client, name: str) -> None:
    """400, and what may be named."""
    response = ask.get(f"/logs/stream/{name}")
    assert response.status_code == 400
    sentence = openai_shape(response)[1]
    assert "'proxy'" in sentence
    assert "'upstream'" in sentence


ROUTING = {"proxy": (True, False), "upstream": (False, True), "both": (True, True), "none": (False, False)}


@pytest.mark.parametrize(("to", "shown"), ROUTING.items(), ids=ROUTING)
def test_log_to_stdout(tmp_path: Path, to: str, shown: tuple[bool, bool]) -> None:
    """It decides what the combined log and standard output hold; the logs by name hold theirs in any case."""
    started = Quiet(tmp_path, configuration(logToStdout=to))
    with started as program, caller(program) as ask:
        say(ask, "alpha", "from a model")
        with ask.stream("GET", "/logs/stream/upstream") as stream:
            until(stream, "from a model")
        with ask.stream("GET", "/logs/stream/proxy") as stream:
            until(stream, "alpha: ready")
        combined = ask.get("/logs").text
        assert ("alpha: ready" in combined, "from a model" in combined) == shown
    out = "\n".join(started.lines)
    assert ("alpha: ready" in out, "from a model" in out) == shown


def test_a_line_of_ours(ask: httpx.Client, program: Program) -> None:
    """Its level in brackets, its message, and no time unless one is asked for."""
    ask.post("/api/models/load/alpha").raise_for_status()
    with ask.stream("GET", "/logs/stream/proxy") as stream:
        lines = until(stream, r"ready[^\n]*\n").splitlines()
    assert lines
    for line in lines:
        assert re.match(r"\[(DEBUG|INFO|WARN|ERROR)\] \S", line), line


def test_a_models_lines_are_its_own(ask: httpx.Client) -> None:
    """Raw, as they were written."""
    say(ask, "alpha", "[DEBUG] \t odd   line")
    with ask.stream("GET", "/logs/stream/upstream") as stream:
        assert "\n[DEBUG] \t odd   line\n" in "\n" + until(stream, "odd   line\n")


ACCESS = re.compile(r'\[INFO\] Request (\S+) "(\S+) (\S+) HTTP/1.1" (\d+) (\d+) "([^"]*)" [\d.]+(µs|ms|s|m)')


def test_an_access_line(ask: httpx.Client) -> None:
    """Who asked for what, how it went, how much and how long; the path without its query."""
    headers = {"User-Agent": "agent of mine", "X-Forwarded-For": "10.0.0.7, 10.0.0.1"}
    ask.post("/v1/embeddings?x=1", json={"model": "nobody"}, headers=headers)
    with ask.stream("GET", "/logs/stream/proxy") as stream:
        got = until(stream, r"agent of mine[^\n]*\n")
    found = ACCESS.search(next(line for line in got.splitlines() if "agent of mine" in line))
    assert found
    assert found.groups()[:4] == ("10.0.0.7", "POST", "/v1/embeddings", "404")
    assert int(found[5]) > 0


@pytest.mark.parametrize("path", ["/wol-health", "/api/performance"])
def test_a_request_that_is_not_logged(ask: httpx.Client, path: str) -> None:
    """Those that somebody asks every few seconds."""
    with ask.stream("GET", "/logs/stream/proxy?no-history") as stream:
        ask.get(path)
        ask.get("/health", headers={"User-Agent": "the end"})
        assert path not in until(stream, "the end")


def test_the_level(tmp_path: Path) -> None:
    """Ours below it are not written; what a model says is not measured."""
    text = configuration(logLevel="error", logToStdout="both")
    with Quiet(tmp_path, text) as program, caller(program) as ask:
        say(ask, "alpha", "[INFO] from a model")
        with ask.stream("GET", "/logs/stream") as stream:
            got = until(stream, "from a model")
    assert "alpha: ready" not in got
