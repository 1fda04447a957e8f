"""Whatever is wrong with a request, a model or a configuration: a typed answer, and a sentence a person can act on."""

from __future__ import annotations

import http.client
import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from llamaswap_py.config.read import Source, read
from llamaswap_py.errors import StartTimeout
from llamaswap_py.launchers.keeper_link import KeeperLink
from llamaswap_py.runtime.logs import Logs
from llamaswap_py.runtime.runs import Ground, Run
from llamaswap_py.runtime.tasks import Tasks
from tests.fakes.llama_answers import text_of
from tests.whole.asking import Shape, anthropic_shape, caller, chat, forgive, openai_shape, running, taken_port
from tests.whole.program import LONG, ROOT, Program, config, fake, model

LIMIT = 4096
JSON = {"Content-Type": "application/json"}


class Family(NamedTuple):
    """A route, and the shape of its refusals."""

    path: str
    shape: Shape


class Bad(NamedTuple):
    """A request, and how it is refused: its code in OpenAI's shape, its type in Anthropic's."""

    body: bytes
    status: int
    codes: tuple[str, str]
    sentence: str
    headers: Mapping[str, str] = JSON


CHAT, MESSAGES = Family("/v1/chat/completions", openai_shape), Family("/v1/messages", anthropic_shape)
FAMILIES = [CHAT, MESSAGES, Family("/v1/responses", openai_shape), Family("/completion", openai_shape)]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A good model, and every way in which a model cannot be started."""
    folder = tmp_path_factory.mktemp("bad")
    plain = folder / "not-a-program"
    plain.write_text("#!/bin/sh\n")
    plain.chmod(stat.S_IRUSR | stat.S_IWUSR)
    with taken_port() as port:
        text = config(
            model("one"),
            f"  absent: {{cmd: '{folder}/nowhere --port ${{PORT}}'}}\n",
            "  unfound: {cmd: 'no-such-llama-server --port ${PORT}'}\n",
            f"  unmarked: {{cmd: '{plain} --port ${{PORT}}'}}\n",
            f"  folder: {{cmd: '{folder} --port ${{PORT}}'}}\n",
            model("stillborn", "--exit --exit-code 7 --stderr 'first line' --stderr 'the weights are missing'"),
            f"  occupied: {{cmd: '{fake().replace('${PORT}', str(port))}', proxy: 'http://127.0.0.1:{port}'}}\n",
            "  silent: {proxy: 'http://127.0.0.1:9'}\n",
            f"  misled: {{cmd: '{fake()}', proxy: nonsense}}\n",
            maxBodySize=LIMIT,
        )
        with Program(folder, text, watch=False) as started:
            yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        yield client


# -- requests that cannot be served

UNKNOWN = (404, ("model_not_found", "not_found_error"))
MISSING = (400, ("missing_model", "invalid_request_error"))
UNREADABLE = (400, ("bad_request", "invalid_request_error"))
UNSUPPORTED = (415, ("unsupported_media_type", "invalid_request_error"))
TOO_LARGE = (413, ("request_too_large", "request_too_large"))
ADD_MODEL = 'names no model: add a top-level "model"'
SEND_JSON = "takes a JSON body, not text/plain: send it with Content-Type: application/json"

BAD = {
    "unknown": Bad(b'{"model": "onne"}', *UNKNOWN, "there is no model 'onne' here; did you mean one"),
    "unknown and like none": Bad(b'{"model": "qqqqqqqq"}', *UNKNOWN, "GET /v1/models lists the names"),
    "missing": Bad(b'{"messages": []}', *MISSING, ADD_MODEL),
    "null": Bad(b'{"model": null}', *MISSING, ADD_MODEL),
    "no text": Bad(b'{"model": ["one"]}', *UNREADABLE, "`model` must be a string"),
    "broken JSON": Bad(b'{"model": "one"', *UNREADABLE, "not valid JSON"),
    "no body": Bad(b"", *UNREADABLE, "not valid JSON"),
    "no object": Bad(b'["one"]', *UNREADABLE, "must be a JSON object"),
    "not UTF-8": Bad(b'{"model": "\xff"}', *UNREADABLE, "not UTF-8|not valid JSON"),
    "wrong content type": Bad(b'{"model": "one"}', *UNSUPPORTED, SEND_JSON, {"Content-Type": "text/plain"}),
    "compressed": Bad(b"\x1f\x8b", *UNREADABLE, "cut off", {**JSON, "Content-Encoding": "gzip"}),
    "strangely compressed": Bad(b"\x0b", *UNSUPPORTED, "send it uncompressed", {**JSON, "Content-Encoding": "br"}),
    "too large": Bad(b" " * (LIMIT + 1), *TOO_LARGE, f"larger than {LIMIT} bytes: raise maxBodySize"),
}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.path)
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_bad_requests(ask: httpx.Client, family: Family, bad: Bad) -> None:
    """Each is refused in its family's shape, with its status and code, and any page may read the answer."""
    response = ask.post(family.path, content=bad.body, headers=bad.headers)
    assert response.status_code == bad.status
    code, message = family.shape(response)
    assert code == bad.codes[family is MESSAGES]
    assert re.search(bad.sentence, message), message
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_body_of_just_the_limit_is_served(ask: httpx.Client) -> None:
    """The limit is the largest size that is accepted."""
    body = b'{"model": "one", "messages": [{"role": "user", "content": "x"}]}'.ljust(LIMIT)
    answer = ask.post("/v1/chat/completions", content=body, headers=JSON).raise_for_status().json()
    assert answer["choices"][0]["message"]["content"] == text_of("one", "x")


def raw_answer(program: Program, request: bytes) -> tuple[int, str]:
    """The status and body that the program answers to these bytes, after which no more come."""
    host, _, port = program.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=LONG) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.headers["Connection"] == "close", "the rest of the body must not be taken for a request"
        return answer.status, answer.read().decode()


HEAD = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def test_a_declared_length_over_the_limit_is_refused_before_the_body(program: Program) -> None:
    """Not one byte of the body is waited for."""
    status, body = raw_answer(program, HEAD + b"Content-Length: 100000000000\r\n\r\n")
    assert status == 413
    assert '"type":"request_too_large"' in body


@pytest.mark.fault("S63")
def test_who_asks_before_sending_is_refused_instead_of_invited(program: Program) -> None:
    """`Expect: 100-continue` with too large a body gets the refusal and no `100 Continue`."""
    status, _ = raw_answer(program, HEAD + b"Expect: 100-continue\r\nContent-Length: 100000000000\r\n\r\n")
    assert status == 413


def test_a_body_without_a_length_is_refused_once_it_is_over_the_limit(program: Program) -> None:
    """The refusal comes while the body is still under way: its end is never sent here."""
    pieces = b"".join(b"400\r\n" + b" " * 0x400 + b"\r\n" for _ in range(LIMIT // 0x400))
    status, _ = raw_answer(program, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"1\r\n \r\n")
    assert status == 413


# -- models that cannot be started

UNSTARTABLE = {
    "absent": r"model absent: .*/nowhere' does not exist\. Check the path in cmd",
    "unfound": r"model unfound: .*'no-such-llama-server' was not found on PATH .* Install it or write its path",
    "unmarked": r"model unmarked: .*/not-a-program' may not be executed: .*chmod \+x",
    "folder": r"model folder: .* may not be executed: .*Is it a file",
    "stillborn": r"model stillborn: .*exit code 7 before it was ready.*\nfirst line\nthe weights are missing",
    "occupied": r"model occupied: .*exit code 1 before it was ready.*address already in use",
    "silent": r"model silent has no command: give it a `cmd`",
    "misled": r"model misled: .*nonsense.*http://host:port",
}


@pytest.mark.fault("P4")
@pytest.mark.parametrize("family", [CHAT, MESSAGES], ids=lambda family: family.path)
@pytest.mark.parametrize(("name", "why"), UNSTARTABLE.items(), ids=UNSTARTABLE)
def test_models_that_cannot_be_started(program: Program, family: Family, name: str, why: str) -> None:
    """A typed 502 that names the model, what went wrong, and what to look at."""
    forgive(program, name)
    body = {"model": name, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    with caller(program) as client:
        response = client.post(family.path, json=body)
    assert response.status_code == 502
    code, message = family.shape(response)
    assert code == ("api_error" if family is MESSAGES else "model_start_failed")
    assert re.search(why, message, re.DOTALL), message


def test_what_failed_is_shown_as_failed(program: Program, ask: httpx.Client) -> None:
    """`/running` names it, with the reason, until it is tried again."""
    ask.post("/api/models/load/stillborn")
    row = running(program)["stillborn"]
    assert row["state"] == "failed"
    assert "the weights are missing" in row["why"]


def test_a_model_that_cannot_be_started_does_no_harm_to_others(ask: httpx.Client) -> None:
    """The good model answers in between."""
    for name, status in (("one", 200), ("absent", 502), ("one", 200)):
        ask.post("/api/models/reset/absent")
        body = {"model": name, "messages": [{"role": "user", "content": "x"}]}
        assert ask.post("/v1/chat/completions", json=body).status_code == status


@pytest.mark.fault("P23", "F20")
def test_a_taken_start_port_is_stepped_aside(tmp_path: Path) -> None:
    """Somebody else listens on the port that a model would have got: it gets another, and answers."""
    with taken_port() as port, Program(tmp_path, config(model("one"), startPort=port), watch=False) as program:
        with caller(program) as client:
            body = {"model": "one", "messages": [{"role": "user", "content": "x"}]}
            client.post("/v1/chat/completions", json=body).raise_for_status()
        row = running(program)["one"]
    assert row["proxy"].startswith("http://localhost:")
    assert row["proxy"] != f"http://localhost:{port}"
    assert f"--port {port}" not in row["cmd"]


@pytest.mark.fault("P23", "F20")
def test_a_port_that_is_taken_in_the_last_moment(tmp_path: Path) -> None:
    """Somebody else listens on the model's port between our look at it and its server's own: it gets another."""
    go = tmp_path / "go"
    os.mkfifo(go)
    command = f"sh -c 'echo port ${{PORT}} && cat {go} && exec {fake()}'"
    text = config(f"""  late: {{cmd: "{command}"}}\n""", logToStdout="both")
    with Program(tmp_path, text, watch=False) as program, ThreadPoolExecutor() as pool:
        asked = pool.submit(chat, program, "late", "x")
        lost = program.wait_for(r"^port \d+$")
        with socket.create_server(("127.0.0.1", int(lost.split()[1]))):
            go.write_text("")
            found = program.wait_for(rf"^port (?!{lost.split()[1]}$)")
            go.write_text("")
            assert asked.result().status_code == 200
        assert running(program)["late"]["proxy"] == f"http://localhost:{found.split()[1]}"


@pytest.mark.fault("P5")
async def test_a_health_check_that_never_passes(tmp_path: Path) -> None:
    """When the time for it is over (here by a clock that runs ahead), the run ends as StartTimeout: what was waited
    for, which keys to look at, and the model's last words. Nothing of it is left."""
    now = 0.0

    async def leap(seconds: float) -> None:
        nonlocal now
        now += seconds

    text = config(model("one", "--never-healthy --stderr 'still thinking'"))
    ours = read([Source("config.yaml", text)], os.environ).config
    tasks = Tasks()
    link = await KeeperLink.start(environ_token=tmp_path.name, nofile=None, spawn_task=tasks.start)
    try:
        ground = Ground(link, Logs("none", lambda _: None), tasks, clock=lambda: now, sleep=leap)
        run = Run(1, ours.models["one"], ours, ground)
        refusal = await run.live(lambda: pytest.fail("it is never ready"))
    finally:
        await link.close()
        await tasks.close()
    assert isinstance(refusal, StartTimeout)
    assert "model one: it was not ready and showed no progress for 120 s (healthCheckTimeout)" in refusal.message
    assert "checkEndpoint" in refusal.message
    assert now >= 120
    assert run.child is not None
    assert run.child.ended.done()


# -- configurations and flags


def refused_start(*flags: str) -> str:
    """What the program says on stderr when it does not start; its status is 1, and it says no more than is needed."""
    words = [sys.executable, "-m", "llamaswap_py", "--listen=127.0.0.1:0", *flags]
    ended = subprocess.run(
        words, check=False, cwd=ROOT, capture_output=True, text=True, timeout=LONG, stdin=subprocess.DEVNULL
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


TTL = r"config\.yaml:4:\d+: models\.a\.ttl: .+\. \w+"
PROXY = r"config\.yaml:3:\d+: models\.a.*proxy uses \${PORT} but cmd does not\. \w+"
CONFIGS = {
    "empty": (b"", r"config\.yaml: the file is empty\. Write at least one model"),
    "no YAML": (b"models: {a: [}\n", r"config\.yaml:1:\d+: .*not valid YAML.*\. \w+"),
    "not UTF-8": (b"models:\n  caf\xe9: {cmd: x}\n", r"config\.yaml:2:1: .*not UTF-8 text\. Save it as UTF-8"),
    "two mistakes": (b"models:\n  a:\n    cmd: x\n    ttl: soon\n", rf"{PROXY}.*\n.*{TTL}"),
}


@pytest.mark.parametrize(("content", "said"), CONFIGS.values(), ids=CONFIGS)
def test_configurations_that_cannot_be_used(tmp_path: Path, content: bytes, said: str) -> None:
    """Every mistake with its file, line, key and remedy; nothing is started."""
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    assert re.search(said, refused_start(f"--config={path}", f"--state-dir={tmp_path / 'state'}"))


def test_a_configuration_that_is_absent(tmp_path: Path) -> None:
    """A named file must be there."""
    said = refused_start(f"--config={tmp_path / 'nowhere.yaml'}")
    assert "nowhere.yaml: it cannot be read: No such file or directory. Name a file that exists" in said


def test_a_configuration_that_is_a_folder(tmp_path: Path) -> None:
    """As when it is absent."""
    assert f"{tmp_path}: it cannot be read: Is a directory." in refused_start(f"--config={tmp_path}")


def test_a_configuration_folder_without_files(tmp_path: Path) -> None:
    """A folder to read from must hold something to read."""
    assert f"{tmp_path}: no .yaml or .yml file is in this folder. Put one there." in refused_start(
        f"--config-dir={tmp_path}"
    )


@pytest.mark.fault("P29")
def test_a_listen_address_in_use(tmp_path: Path) -> None:
    """The sentence says which, and how to take another."""
    path = tmp_path / "config.yaml"
    path.write_text(config(model("one")))
    with taken_port() as port:
        said = refused_start(f"--config={path}", f"--state-dir={tmp_path}", f"--listen=127.0.0.1:{port}")
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said
    assert "--listen takes another address" in said


@pytest.mark.parametrize("address", ["127.0.0.1:http", "no.such.host.invalid:8080"])
def test_a_listen_address_that_is_none(tmp_path: Path, address: str) -> None:
    """The sentence repeats it."""
    path = tmp_path / "config.yaml"
    path.write_text(config(model("one")))
    said = refused_start(f"--config={path}", f"--state-dir={tmp_path}", f"--listen={address}")
    assert f"cannot listen on {address}" in said.replace("'", "")
