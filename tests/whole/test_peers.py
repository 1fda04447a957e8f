"""Models of another server, offered here: the peer is a second running program, or a server that says what it hears."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conformance.scene import answer, mirror, pipe, release, seen
from tests.whole.asking import caller, openai_shape
from tests.whole.mirrored import asking, post
from tests.whole.program import LONG, OWN_PORTS, Program, config, model
from tests.whole.talk import CHAT, streamed, whole
from tests.whole.test_tls import Files

KEY, PEERS_KEY = "the-callers-own", "for-the-peer"


def peers(box: Program, echo: str) -> str:
    """Two peers: the other program, which wants a key, and the mirror that runs under it."""
    return f"""
peers:
  box: {{proxy: "{box.url}", models: [far, both, alpha], apiKey: {PEERS_KEY}}}
  echo:
    proxy: {echo}/base
    models: [far2, both]
    filters: {{stripParams: top_k, setParams: {{n: 1}}, setParamsByID: {{echo/far2: {{seed: 7}}}}}}
  hasty: {{proxy: {echo}/base, models: [soon], timeouts: {{responseHeader: 1}}}}
  down: {{proxy: "http://127.0.0.1:9", models: [nothing]}}
apiKeys: [{KEY}]
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The second program."""
    text = f"apiKeys: [{PEERS_KEY}]\n" + config(
        model("far"), model("both"), mirror("alpha"), mirror("echo"), startPort=OWN_PORTS + 50
    )
    text = "groups: {all: {swap: false, members: [far, both, alpha, echo]}}\n" + text
    with Program(tmp_path_factory.mktemp("box"), text, watch=False) as started:
        yield started


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, box: Program) -> Iterator[Program]:
    with caller(box, PEERS_KEY) as client:
        client.post("/api/models/load/echo").raise_for_status()
        (echo,) = [row["proxy"] for row in client.get("/running").json()["running"] if row["model"] == "echo"]
    text = peers(box, echo) + config(mirror("alpha"), startPort=OWN_PORTS + 100)
    with Program(tmp_path_factory.mktemp("here"), text, watch=False) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program, KEY) as client:
        yield client


@pytest.mark.parametrize("name", ["far", "box/far"])
def test_a_peers_model_answers_under_its_full_name_and_under_a_bare_one_that_is_its_alone(
    ask: httpx.Client, name: str
) -> None:
    """Streamed byte for byte, and whole. The peer is asked with its own key."""
    body = {"model": name, "messages": [{"role": "user", "content": "hello"}]}
    assert ask.post(CHAT, json=body).json() == whole("far", "hello")
    assert ask.post(CHAT, json=body | {"stream": True}).content == streamed("far", "hello")


def test_what_is_here_comes_first_and_what_two_peers_have_needs_its_full_name(ask: httpx.Client) -> None:
    assert asking(ask, "alpha").header("x-forwarded-for")  # ours: a peer is told nothing of the caller
    assert asking(ask, "box/alpha").json == {"model": "alpha"}
    response = ask.post(CHAT, json={"model": "both"})
    assert response.status_code == 404
    assert ask.post(CHAT, json={"model": "box/both"}).status_code == 200


def test_nothing_about_the_caller_goes_to_a_peer(ask: httpx.Client) -> None:
    """No key, no address; everything else does, below the path of the peer's address."""
    about = {"x-api-key": KEY, "Forwarded": "for=1.2.3.4", "X-Forwarded-Host": "here", "X-Own": "kept"}
    arrived = post(ask, b'{"model":"far2"}', **about)
    assert arrived.target == f"/base{CHAT}"
    assert arrived.header("X-Own") == "kept"
    for name in ("Authorization", "x-api-key", "Forwarded", "X-Forwarded-Host", "X-Forwarded-For"):
        assert arrived.header(name) is None
    assert KEY not in str(arrived.pairs)
    host = arrived.header("Host")
    assert host is not None
    assert host.startswith("localhost:")


def test_a_peers_rules_go_by_the_name_that_was_asked_for(ask: httpx.Client) -> None:
    """Every other byte stays."""
    assert post(ask, b'{"model":"far2","top_k":1 , "x":1.0}').body == b'{"model":"far2", "x":1.0,"n":1}'
    assert post(ask, b'{ "x":1.0,"model":"echo/far2"}').body == b'{ "x":1.0,"model":"far2","n":1,"seed":7}'


def test_a_peers_server_by_its_own_paths(ask: httpx.Client) -> None:
    """A body that names the model as the path does is given the peer's name; any other arrives as it was."""
    named = post(ask, b'{"model":"echo/far2", "top_k":1}', f"/upstream/echo/far2{CHAT}")
    assert (named.target, named.body) == (f"/base{CHAT}", b'{"model":"far2", "top_k":1}')
    other = post(ask, b'{"model":"other"}', f"/upstream/echo/far2{CHAT}")
    assert other.body == b'{"model":"other"}'
    assert seen(ask.put("/upstream/echo/far2/x.js?y=%2F", content=b"!")).target == "/base/x.js?y=%2F"
    assert ask.post(f"/upstream/far2{CHAT}", content=b"[").status_code == 200
    socket = {"Connection": "Upgrade", "Upgrade": "websocket"}
    assert "WebSockets are not passed on" in ask.get("/upstream/far2/ws", headers=socket).text


@pytest.mark.fault("F47")
def test_a_peer_that_is_not_there_is_told_by_name(ask: httpx.Client) -> None:
    response = ask.post(CHAT, json={"model": "nothing"})
    assert response.status_code == 502
    assert openai_shape(response)[1].startswith("peer down: cannot connect to")


def test_a_peer_that_begins_no_answer_in_its_time_is_given_up(ask: httpx.Client, tmp_path: Path) -> None:
    gate = pipe(tmp_path, "gate")
    response = ask.post(CHAT, json={"model": "soon"}, headers=answer(hold=str(gate)))
    release(gate)
    assert response.status_code == 504
    assert "did not begin its answer within 1 s (timeouts.responseHeader)" in openai_shape(response)[1]


def test_a_row_has_the_name_of_a_peers_model_as_it_was_asked_for(program: Program, ask: httpx.Client) -> None:
    before = ask.get("/api/metrics/activity?limit=1").json()["data"]
    assert asking(ask, "box/alpha").name == "alpha"
    while (rows := ask.get("/api/metrics/activity?limit=1").json()["data"]) == before:
        pass
    assert (rows[0]["model"], rows[0]["resp_status_code"]) == ("box/alpha", 200)


def test_an_answer_of_a_peer_may_end_while_the_program_drains(box: Program, tmp_path: Path) -> None:
    """Whoever is there finishes; nobody new comes in."""
    text = f'peers: {{box: {{proxy: "{box.url}", models: [alpha], apiKey: {PEERS_KEY}}}}}\nmodels: {{}}\n'
    gate = pipe(tmp_path, "gate")
    told = answer(pieces=["one ", "two"], hold=str(gate))
    with Program(tmp_path, text, watch=False) as program, caller(program) as client:
        with client.stream("POST", CHAT, json={"model": "alpha"}, headers=told) as response:
            program.process.terminate()
            program.wait_for("shutting down")
            release(gate)
            assert response.read() == b"one two"
        assert program.process.wait(LONG) == 0


def test_a_peer_behind_tls_is_asked_if_its_certificate_is_good(tmp_path: Path) -> None:
    """And is not where it is a stranger's."""
    folder = tmp_path / "box"
    folder.mkdir()
    files, trusted = Files(folder), tmp_path / "trusted.pem"
    files.issue()
    files.authority.cert_pem.write_to_path(str(trusted))
    with Program(folder, config(model("far"), startPort=OWN_PORTS + 150), *files.flags, watch=False) as box:
        text = f'peers: {{box: {{proxy: "{box.url}", models: [far]}}}}\nmodels: {{}}\n'
        body = {"model": "far", "messages": [{"role": "user", "content": "hello"}]}
        env = {"SSL_CERT_FILE": str(trusted)}
        with Program(tmp_path, text, watch=False, env=env) as program, caller(program) as client:
            assert client.post(CHAT, json=body).json() == whole("far", "hello")
        with Program(tmp_path, text, watch=False) as program, caller(program) as client:
            response = client.post(CHAT, json=body)
            assert response.status_code == 502
            assert "certificate" in openai_shape(response)[1].lower()
