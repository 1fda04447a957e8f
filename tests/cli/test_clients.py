"""`ps`, `list`, `logs`, `load` and `unload` against a real little server."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys

import psutil
import pytest

from llamaswap_py.__main__ import main
from llamaswap_py.cli.list import shown
from tests.cli.conftest import LISTED, RUNNING, Upstream

Output = pytest.CaptureFixture[str]


def test_ps_says_that_nothing_is_up(upstream: Upstream, capsys: Output) -> None:
    assert main(["ps"]) == 0
    assert capsys.readouterr().out == "No model is up.\n"


def test_ps_shows_one_line_for_each_model(upstream: Upstream, capsys: Output) -> None:
    upstream.running = [dict(RUNNING), {**RUNNING, "model": "a-longer-name", "state": "starting"}]
    assert main(["ps"]) == 0
    header, small, longer = capsys.readouterr().out.splitlines()
    assert header.split() == ["MODEL", "STATE", "TTL", "PROXY", "CMD"]
    assert small.split()[:3] == ["small", "ready", "60"]
    assert small.endswith("llama-server \\ --port 5800")
    assert longer.startswith("a-longer-name  starting")
    assert header.index("STATE") == small.index("ready") == longer.index("starting")


def test_ps_can_print_the_answer_as_it_is(upstream: Upstream, capsys: Output) -> None:
    upstream.running = [dict(RUNNING)]
    assert main(["ps", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"running": [RUNNING]}


@pytest.mark.parametrize(("model", "path"), [("small", "small"), ("team/small", "team/small"), ("a b?c", "a%20b%3Fc")])
def test_load_asks_for_the_model_by_its_name(upstream: Upstream, capsys: Output, model: str, path: str) -> None:
    assert main(["load", model]) == 0
    assert upstream.asked == [f"POST /api/models/load/{path}"]
    assert capsys.readouterr().out == f"{model} is loaded.\n"


def test_unload_takes_one_model_or_all(upstream: Upstream, capsys: Output) -> None:
    assert main(["unload", "small"]) == 0
    assert main(["unload"]) == 0
    assert upstream.asked == ["POST /api/models/unload/small", "POST /api/models/unload"]
    assert capsys.readouterr().out == "small is unloaded.\nAll models are unloaded.\n"


@pytest.mark.parametrize("command", ["load", "unload"])
def test_an_unknown_model_is_refused_in_the_servers_words(upstream: Upstream, capsys: Output, command: str) -> None:
    assert main([command, "nope"]) == 1
    assert "(404): there is no such model" in capsys.readouterr().err


def test_an_answer_that_is_no_json_is_shown_as_it_is(upstream: Upstream, capsys: Output) -> None:
    assert main(["load", "broken"]) == 1
    assert "(500): not JSON at all" in capsys.readouterr().err


def test_a_wrong_key_is_refused_with_a_hint(upstream: Upstream, capsys: Output) -> None:
    upstream.key = "secret"
    assert main(["ps", "--api-key", "wrong"]) == 1
    error = capsys.readouterr().err
    assert "this key is not one of ours" in error
    assert "--api-key or $LLAMASWAP_API_KEY" in error


def test_a_key_is_taken_from_the_flag_or_the_environment(
    upstream: Upstream, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.key = "secret"
    assert main(["ps", "--api-key=secret"]) == 0
    monkeypatch.setenv("LLAMASWAP_API_KEY", "secret")
    assert main(["ps"]) == 0


def test_the_flag_goes_before_the_environment_and_may_stand_anywhere(
    upstream: Upstream, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMASWAP_URL", "http://127.0.0.1:1")
    assert main(["load", "small", "-url", upstream.url + "/"]) == 0
    assert main(["load", "--url", upstream.url.removeprefix("http://"), "small"]) == 0


@pytest.mark.parametrize("command", [["ps"], ["load", "x"], ["unload"], ["list"], ["logs"]])
def test_where_nothing_listens_the_person_is_told_what_to_do(capsys: Output, command: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    assert main([*command, "--url", url]) == 1
    error = capsys.readouterr().err
    assert f"No server answers at {url}" in error
    assert "--url or $LLAMASWAP_URL" in error


@pytest.mark.parametrize("url", ["ftp://somewhere", "http://", "http://host:port", "http://host:0", "http://[::1"])
def test_an_address_that_is_none_is_refused_with_an_example(capsys: Output, url: str) -> None:
    assert main(["ps", "--url", url]) == 1
    assert "Write it as http://127.0.0.1:8080" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["load"], ["load", "a", "b"], ["unload", "a", "b"], ["logs", "a", "b"]])
def test_too_few_or_too_many_models_is_misspelt(capsys: Output, words: list[str]) -> None:
    assert main(words) == 2
    assert "usage: llamaswap" in capsys.readouterr().err


def test_list_shows_each_model_once_with_its_state_and_other_names(upstream: Upstream, capsys: Output) -> None:
    upstream.running = [{**RUNNING, "state": "starting"}]
    assert main(["list"]) == 0
    assert [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()] == [
        ["MODEL", "STATE", "ALIASES     DESCRIPTION"],
        ["big", "unloaded", "Ein großes"],
        ["small", "starting", "tiny, mini  Small: for trying"],
    ]
    assert upstream.asked == ["GET /v1/models", "GET /running"]


def test_list_can_print_the_answer_as_it_is(upstream: Upstream, capsys: Output) -> None:
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == LISTED


@pytest.mark.parametrize("listed", [{"data": []}, {"data": None}, {}])
def test_list_says_that_there_is_no_model(upstream: Upstream, capsys: Output, listed: dict[str, object]) -> None:
    upstream.listed = listed
    assert main(["list"]) == 0
    assert capsys.readouterr().out == "The server offers no model.\n"


def test_list_says_where_a_model_was_found() -> None:
    row = {"id": "a", "name": "A", "meta": {"llamaswap": {"discovered": "ollama"}}}
    assert shown([row], []).splitlines()[1].split() == ["a", "-", "A:", "found", "in", "ollama"]


def test_list_takes_a_row_that_says_nothing_but_its_name(upstream: Upstream, capsys: Output) -> None:
    """As other servers of this API list their models."""
    upstream.listed = {"data": [{"id": "plain"}]}
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "plain  -"


@pytest.mark.parametrize(
    ("words", "path", "text"),
    [
        (["logs"], "/logs/stream", "one\ntwo é\n"),
        (["logs", "team/small"], "/logs/stream/team/small", "loading\n"),
    ],
)
def test_logs_shows_what_was_written_and_ends(
    upstream: Upstream, capsys: Output, words: list[str], path: str, text: str
) -> None:
    assert main(words) == 0
    assert upstream.asked == [f"GET {path}?no-follow"]
    assert capsys.readouterr().out == text


@pytest.mark.parametrize("flag", ["-f", "--follow"])
def test_logs_follows_until_it_is_interrupted(upstream: Upstream, flag: str) -> None:
    command = [sys.executable, "-m", "llamaswap_py", "logs", flag, "team/small"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        upstream.coming.put(b"loaded\n")
        assert process.stdout.readline() == "loaded\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate() == ("", "")
        upstream.coming.put(b"")
    assert process.returncode == 0


def test_logs_of_a_model_that_is_not_there_are_refused_in_the_servers_words(upstream: Upstream, capsys: Output) -> None:
    assert main(["logs", "nope"]) == 1
    assert "(404): there is no such model" in capsys.readouterr().err


def test_ctrl_c_ends_a_command_that_waits_without_a_word(upstream: Upstream) -> None:
    command = [sys.executable, "-m", "llamaswap_py", "load", "slow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert upstream.arrived.wait(30)
        while psutil.Process(process.pid).status() != psutil.STATUS_SLEEPING:
            assert process.poll() is None  # what has been asked for may not be waited for yet
        process.send_signal(signal.SIGINT)
        assert process.communicate() == (b"", b"")
        upstream.coming.put(b"")
    assert process.returncode == 130
