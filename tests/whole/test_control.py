"""What operators and pages order and read: health, what runs, the lists, load, unload, restart, reset, logs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from tests.fakes.llama_answers import text_of
from tests.whole.asking import caller, chat, forgive, openai_shape, pids, running, turned_away
from tests.whole.program import Program, config, fake, model

LONG_NAME = "org/thing:7b"
NAMES = [LONG_NAME, "org%2Fthing%3A7b", "short"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("control")


@pytest.fixture(scope="module")
def program(folder: Path) -> Iterator[Program]:
    text = config(
        model("one", description="' answers '", ttl=90) + "    name: The first\n",
        model("two"),
        model(LONG_NAME, aliases="[short, other/alias]"),
        model("hidden", unlisted="true"),
        model("sleepy", "--load-seconds 600"),
        model("stillborn", "--exit --exit-code 7"),
        f"""  later: {{cmd: "sh -c 'test -e {folder}/flag && exec {fake()}'"}}\n""",
    )
    with Program(folder, text, watch=False) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    """Nothing runs when a test begins."""
    for name in ("stillborn", "later"):
        forgive(program, name)
    with caller(program) as client:
        client.get("/unload").raise_for_status()
        yield client


# -- what is


def test_health(ask: httpx.Client) -> None:
    """It says OK, as text."""
    response = ask.get("/health")
    assert (response.status_code, response.text) == (200, "OK")
    assert response.headers["Content-Type"].startswith("text/plain")


def test_nothing_runs_at_first(ask: httpx.Client) -> None:
    """An empty list is a list."""
    assert ask.get("/running").json()["running"] == []


def test_running_shows_the_command_as_it_was_started(program: Program, ask: httpx.Client) -> None:
    """The port is filled in, in the command and in the address."""
    ask.post("/api/models/load/one").raise_for_status()
    row = running(program)["one"]
    port = row["proxy"].rpartition(":")[2]
    assert f"--port {port} --alias one" in row["cmd"]
    assert httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200
    shown = {key: row[key] for key in ("state", "ttl", "name", "description")}
    assert shown == {"state": "ready", "ttl": 90, "name": "The first", "description": "answers"}
    assert row["proxy"] == f"http://localhost:{port}"
    assert psutil.Process(row["pid"]).is_running()


def load(program: Program, name: str) -> httpx.Response:
    with caller(program) as client:
        return client.post(f"/api/models/load/{name}")


def ask_for(program: Program, name: str) -> httpx.Response:
    return chat(program, name, "x")


@pytest.mark.fault("F4")
@pytest.mark.parametrize(("order", "waiting"), [(load, 0), (ask_for, 1)])
def test_a_model_on_its_way_is_shown_and_can_be_unloaded(
    program: Program, ask: httpx.Client, order: Callable[[Program, str], httpx.Response], waiting: int
) -> None:
    """While it is loaded, by order or for a caller, it is listed as starting; unloading tells those who wait why."""
    before = program.said
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(order, program, "sleepy")
        program.wait_for("sleepy: starting", before)
        row = running(program)["sleepy"]
        assert (row["state"], row["waiting"]) == ("starting", waiting)
        ask.post("/api/models/unload/sleepy").raise_for_status()
        response = asked.result()
    assert response.status_code == 503
    code, sentence = openai_shape(response)
    assert code == "model_unloaded"
    assert "model sleepy was unloaded by order" in sentence
    assert running(program) == {}


@pytest.mark.parametrize("path", ["/v1/models", "/models"])
def test_the_list_of_models(ask: httpx.Client, path: str) -> None:
    """Sorted, without the unlisted; what is up is loaded."""
    ask.post("/api/models/load/one").raise_for_status()
    body = ask.get(path).json()
    assert body["object"] == "list"
    rows = {row["id"]: row for row in body["data"]}
    assert list(rows) == ["later", "one", LONG_NAME, "sleepy", "stillborn", "two"]
    assert [name for name, row in rows.items() if row["status"]["value"] == "loaded"] == ["one"]
    assert rows["one"]["name"] == "The first"
    assert rows["one"]["description"] == "answers"
    assert rows[LONG_NAME]["meta"]["llamaswap"] == {"type": "model", "aliases": ["short", "other/alias"]}
    assert {row["object"] for row in rows.values()} == {"model"}
    assert {row["owned_by"] for row in rows.values()} == {"llama-swap"}


def test_an_unlisted_model_and_an_alias_answer_all_the_same(program: Program, ask: httpx.Client) -> None:
    """Being listed is about lists."""
    for name, owner in (("hidden", "hidden"), ("other/alias", LONG_NAME)):
        answer = chat(program, name, "x").raise_for_status().json()
        assert answer["choices"][0]["message"]["content"] == text_of(owner, "x")


@pytest.mark.parametrize("path", ["/health", "/running", "/v1/models", "/models", "/logs", "/logs/stream"])
def test_head_is_get_without_the_body(ask: httpx.Client, path: str) -> None:
    """The same status and type, no body, and an end."""
    response = ask.head(path)
    assert response.status_code == 200
    assert response.content == b""
    with ask.stream("GET", path) as full:
        assert response.headers["Content-Type"] == full.headers["Content-Type"]


# -- orders


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/unload", "OK"),
        ("POST", "/models/unload", {"msg": "ok"}),
        ("POST", "/api/models/unload", {"msg": "ok"}),
        ("POST", "/api/models/unload/one", "OK"),
    ],
)
def test_unload_returns_when_nothing_is_left(
    program: Program, ask: httpx.Client, method: str, path: str, said: object
) -> None:
    """In every spelling; the process is gone by then."""
    ask.post("/api/models/load/one").raise_for_status()
    pid = pids(program)["one"]
    response = ask.request(method, path).raise_for_status()
    assert (json.loads(response.text) if response.text.startswith("{") else response.text) == said
    assert not psutil.pid_exists(pid)
    assert running(program) == {}


def test_unload_of_what_is_not_up_is_fine(ask: httpx.Client) -> None:
    """There is nothing to do, and that is no mistake."""
    assert ask.post("/api/models/unload/one").status_code == 200


def test_unload_of_one_model_leaves_the_others(program: Program, ask: httpx.Client) -> None:
    """Only the named one is stopped."""
    ask.post("/api/models/load/one").raise_for_status()
    before = pids(program)
    ask.post("/api/models/unload/two").raise_for_status()
    assert pids(program) == before


@pytest.mark.fault("P32")
def test_unload_in_mid_answer_ends_it_with_a_reason(ask: httpx.Client) -> None:
    """An order is not delayed by a caller; the caller reads why, and the end looks broken."""
    body = {"model": "one", "stream": True, "messages": [{"role": "user", "content": "[fake words=9 stall=3] x"}]}
    got = ""
    with ask.stream("POST", "/v1/chat/completions", json=body) as response:
        pieces = response.iter_text()
        got += next(pieces)
        ask.post("/api/models/unload/one").raise_for_status()
        rest: list[str] = []
        with pytest.raises(httpx.RemoteProtocolError):
            rest.extend(pieces)
    got += "".join(rest)
    assert "[DONE]" not in got
    last = json.loads(got.strip().rpartition("\n\n")[2].removeprefix("data: "))
    assert last["error"]["code"] == "model_unloaded"
    assert "model one was stopped while it answered: unloaded" in last["error"]["message"]


def test_load_returns_when_the_model_is_ready(program: Program, ask: httpx.Client) -> None:
    """And a second load of it finds it there."""
    seen = []
    for _ in range(2):
        assert ask.post("/api/models/load/one").json() == {"msg": "ok", "model": "one", "state": "ready"}
        seen.append(pids(program))
    assert list(seen[0]) == ["one"]
    assert seen[0] == seen[1]


def test_load_makes_room_as_a_request_does(program: Program, ask: httpx.Client) -> None:
    """Loading a model stops the one that it excludes."""
    for name in ("one", "two"):
        ask.post(f"/api/models/load/{name}").raise_for_status()
        assert list(pids(program)) == [name]


def test_load_of_what_cannot_start_says_why(ask: httpx.Client) -> None:
    """Every time anew: an order is always tried."""
    for _ in range(2):
        response = ask.post("/api/models/load/stillborn")
        assert response.status_code == 502
        assert openai_shape(response)[0] == "model_start_failed"
        assert "exit code 7" in openai_shape(response)[1]


def test_restart_gives_a_new_process(program: Program, ask: httpx.Client) -> None:
    """Of a model that is up, and of one that is down."""
    seen = []
    for _ in range(3):
        assert ask.post("/api/models/restart/one").json() == {"msg": "ok", "model": "one", "state": "ready"}
        seen.append(pids(program)["one"])
    assert [psutil.pid_exists(pid) for pid in seen] == [False, False, True]


def test_reset_lets_a_failed_model_be_tried_at_once(program: Program, ask: httpx.Client, folder: Path) -> None:
    """Until the wait is over callers are turned away; after a reset they are served, for what was missing is there."""
    forgive(program, "later")
    assert chat(program, "later", "x").status_code == 502
    assert turned_away(lambda: chat(program, "later", "x")).status_code == 503
    (folder / "flag").touch()
    assert ask.post("/api/models/reset/later").json() == {"msg": "ok", "model": "later"}
    assert chat(program, "later", "x").status_code == 200


@pytest.mark.parametrize("name", NAMES)
def test_names_with_slashes_and_colons_and_aliases(program: Program, ask: httpx.Client, name: str) -> None:
    """As they are, or encoded: every order finds the model."""
    assert ask.post(f"/api/models/load/{name}").raise_for_status().json()["model"] == LONG_NAME
    first = pids(program)[LONG_NAME]
    ask.post(f"/api/models/restart/{name}").raise_for_status()
    assert pids(program)[LONG_NAME] != first
    ask.post(f"/api/models/reset/{name}").raise_for_status()
    ask.post(f"/api/models/unload/{name}").raise_for_status()
    assert pids(program) == {}


@pytest.mark.parametrize("order", ["load", "unload", "restart", "reset"])
def test_orders_for_an_unknown_model(ask: httpx.Client, order: str) -> None:
    """404, and a name that is nearly right is repeated rightly."""
    response = ask.post(f"/api/models/{order}/org/thing:7")
    assert response.status_code == 404
    code, sentence = openai_shape(response)
    assert code == "model_not_found"
    assert f"there is no model 'org/thing:7' here; did you mean {LONG_NAME}" in sentence


# -- keys


def test_with_keys_every_door_but_health_is_locked(tmp_path: Path) -> None:
    """Without one: 401 with a challenge that browsers know. With one, in any of three places: open."""
    paths = ["/running", "/v1/models", "/models", "/logs", "/logs/stream", "/unload"]
    orders = ["/api/models/unload", "/api/models/load/one", "/v1/embeddings", "/infill"]
    text = config(model("one"), apiKeys="[first, second]")
    with Program(tmp_path, text, watch=False) as locked, caller(locked) as client:
        assert client.get("/health").status_code == 200
        refused = [client.get(path) for path in paths] + [client.post(path) for path in orders]
        assert {response.status_code for response in refused} == {401}
        assert {response.headers["WWW-Authenticate"] for response in refused} == {'Basic realm="llama-swap"'}
        assert {openai_shape(response)[0] for response in refused} == {"unauthorized"}
        assert client.get("/running", headers={"x-api-key": "second"}).status_code == 200
        assert client.get("/running", auth=("anybody", "first")).status_code == 200
        assert client.get("/running", headers={"Authorization": "bearer second"}).status_code == 200


# -- logs


def read_until(pieces: Iterator[str], pattern: str) -> str:
    got = ""
    while not re.search(pattern, got):
        got += next(pieces)
    return got


def test_logs_is_the_history_of_what_the_program_says(program: Program, ask: httpx.Client) -> None:
    """The same lines as on standard output."""
    ask.post("/api/models/load/one").raise_for_status()
    response = ask.get("/logs")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = response.text.splitlines()
    assert lines[0] == program.lines[0]
    assert any(line.startswith("[INFO] one: ready after") for line in lines)


@pytest.mark.parametrize("path", ["/logs/stream", "/logs/stream/", "/logs/stream/proxy"])
def test_a_log_stream_is_history_and_then_what_comes(ask: httpx.Client, path: str) -> None:
    """Without a gap and without a repetition, in pieces as they come."""
    ask.post("/api/models/load/one").raise_for_status()
    already = ask.get("/logs").text.count("] one: ready")
    with ask.stream("GET", path) as response:
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        pieces = response.iter_text()
        got = read_until(pieces, r"one: ready")
        ask.post("/api/models/restart/one").raise_for_status()
        ask.post("/api/models/load/two").raise_for_status()
        got += read_until(pieces, r"two: ready after [^\n]*\n")
    assert "llamaswap listening" in got
    assert got.count("] one: ready") == already + 1


def test_a_log_stream_without_history(ask: httpx.Client) -> None:
    """It is open at once, and holds only what happens from now on."""
    with ask.stream("GET", "/logs/stream/proxy?no-history") as response:
        assert response.status_code == 200
        ask.post("/api/models/load/two").raise_for_status()
        got = read_until(response.iter_text(), "two: ready")
    assert "two: starting" in got
    assert "listening" not in got


@pytest.mark.parametrize("path", ["/logs/stream", "/logs/stream/proxy"])
def test_a_log_stream_without_what_comes(ask: httpx.Client, path: str) -> None:
    """It ends where the history ends."""
    ask.post("/api/models/load/two").raise_for_status()
    assert "two: ready after" in ask.get(f"{path}?no-follow").text


@pytest.mark.parametrize("name", ["upstream", *NAMES])
def test_what_a_models_server_says(ask: httpx.Client, name: str) -> None:
    """By the model's id, an alias, or everybody's together; the proxy's own lines are not in it."""
    ask.post(f"/api/models/load/{LONG_NAME}").raise_for_status()
    with ask.stream("GET", f"/logs/stream/{name}") as response:
        got = read_until(response.iter_text(), "main: model loaded")
    assert "server is listening on" in got
    assert "[INFO]" not in got


def test_one_models_log_has_nothing_of_another(ask: httpx.Client) -> None:
    """Each model has a log of its own, which outlives its process."""
    for name in ("one", "two"):
        answer = ask.post("/v1/chat/completions", json={"model": name, "messages": []})
        assert answer.status_code == 200
    with ask.stream("GET", "/logs/stream/hidden?no-history") as quiet:
        ask.post("/v1/completions", json={"model": "one", "prompt": "x"}).raise_for_status()
        ask.post("/v1/completions", json={"model": "hidden", "prompt": "x"}).raise_for_status()
        got = read_until(quiet.iter_text(), "request: POST")
    assert got.count("main: model loaded") == 1
    with ask.stream("GET", "/logs/stream/one") as kept:
        assert "main: model loaded" in read_until(kept.iter_text(), "request: POST /v1/completions")


@pytest.mark.parametrize("name", ["nobody", "org", "proxy/x"])
def test_a_log_that_does_not_exist(ask: httpx.Client, name: str) -> None:
    """400, and which there are."""
    response = ask.get(f"/logs/stream/{name}")
    assert response.status_code == 400
    assert f"there is no log '{name}': use 'proxy', 'upstream', or a model's id or alias" in openai_shape(response)[1]
