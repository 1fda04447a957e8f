"""`llamaswap run` against a real little llama-server: one answer, a conversation, and how Ctrl-C ends them."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from llamaswap_py.__main__ import main
from llamaswap_py.cli.terminal.chat import Cost, content_of, events
from llamaswap_py.cli.terminal.client import Failed
from tests.cli.conftest import Upstream
from tests.fakes.llama_answers import text_of

Output = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]
LONG = 30.0  # nothing here takes this long on a busy machine


class Llama:
    """The fake server as a child, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "journal"
        command = [sys.executable, "tests/fakes/llama_server.py", "--port", "0", "--alias", "small"]
        self.process = subprocess.Popen(
            [*command, "--journal", str(self.journal)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said = b""
        assert self.process.stdout is not None
        while b"main: model loaded" not in said:
            line = self.process.stdout.readline()
            assert line, said
            said += line
        found = re.search(rb"listening on (http://\S+)", said)
        assert found is not None
        self.url = found[1].decode()

    def messages(self) -> list[list[dict[str, str]]]:
        rows = [json.loads(line) for line in self.journal.read_text("utf-8").splitlines()]
        return [json.loads(row["body"])["messages"] for row in rows if row["event"] == "request"]

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def llama(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Llama]:
    server = Llama(tmp_path)
    monkeypatch.setenv("LLAMASWAP_URL", server.url)
    yield server
    server.close()


def test_one_question_is_answered_as_it_is_with_its_cost_beside_it(llama: Llama, capsys: Output) -> None:
    """The answer alone on standard output; what follows the model's name is the question."""
    assert main(["run", "small", "hello", "there"]) == 0
    said = capsys.readouterr()
    assert said.out == text_of("small", "hello there") + "\n"
    assert re.fullmatch(r"8 tokens, 50\.0 tokens/s, first after \d+\.\d\d s\n", said.err)
    assert llama.messages() == [[{"role": "user", "content": "hello there"}]]


def piped(text: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llamaswap_py", "run", *words]
    return subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False)


def test_lines_are_one_conversation(llama: Llama) -> None:
    done = piped("first\n\nsecond\n", "small", "--system", "Be brief.")
    assert done.returncode == 0
    answers = [text_of("small", prompt) for prompt in ("first", "second")]
    assert done.stdout == "".join(f"{answer}\n" for answer in answers)
    start = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "first"}]
    follow = [{"role": "assistant", "content": answers[0]}, {"role": "user", "content": "second"}]
    assert llama.messages() == [start, [*start, *follow]]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("[fake status=503]", r"refused \(503\)"),
        ("[fake error=2]", "The answer broke off: "),
        ("[fake cut=2]", "ended"),
        ("[fake crash=before]", "No server answers"),
    ],
)
def test_an_answer_that_fails_says_why(llama: Llama, capsys: Output, asked: str, reason: str) -> None:
    assert main(["run", "small", asked]) == 1
    said = capsys.readouterr()
    assert re.search(reason, said.err)
    assert said.out == "" or said.out.endswith(" \n")  # what came stays readable, on a line of its own


def test_a_pipe_ends_with_the_first_failure(llama: Llama) -> None:
    assert piped("[fake status=500]\nmore\n", "small").returncode == 1
    assert len(llama.messages()) == 1


def test_a_model_that_is_not_there_is_refused_in_the_servers_words(upstream: Upstream, capsys: Output) -> None:
    assert main(["run", "nope", "hello"]) == 1
    assert capsys.readouterr().err.endswith("(404): there is no such model\n")


def test_without_a_model_it_is_misspelt(capsys: Output) -> None:
    assert main(["run"]) == 2
    assert "llamaswap list" in capsys.readouterr().err


def test_ctrl_c_ends_a_single_answer(llama: Llama) -> None:
    command = [sys.executable, "-m", "llamaswap_py", "run", "small", "[fake stall=2]"]
    with subprocess.Popen(command, bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate()
    assert process.returncode == 130
    assert (first + out).decode() == text_of("small", "[fake stall=2]", 1) + "\n"
    assert re.fullmatch(rb"first after [\d.]+ s, stopped\n", error)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_in_a_terminal_ctrl_c_stops_the_answer_and_one_more_the_program(llama: Llama) -> None:
    """The conversation goes on with what came, and with what failed forgotten."""
    with Terminal("run", "small") as terminal:
        terminal.read_to("> ")
        terminal.type("[fake status=500]\n")
        terminal.read_to(r"refused \(500\)(?s:.*)> ")
        for question in ("[fake stall=2]", "more"):
            terminal.type(f"{question}\n")
            terminal.read_to(re.escape(text_of("small", question, 1)))
            terminal.process.send_signal(signal.SIGINT)
            terminal.read_to(r"\033\[2mfirst after [\d.]+ s, stopped\033\[0m(?s:.*)> ")
        terminal.process.send_signal(signal.SIGINT)
        terminal.type("\n")  # readline sleeps on where a signal comes just before it waits for a key
        assert terminal.process.wait(LONG) == 130
    assert [message["content"] for message in llama.messages()[-1]] == [
        "[fake stall=2]",
        text_of("small", "[fake stall=2]", 1),
        "more",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_in_a_terminal_the_conversation_ends_with_the_input(llama: Llama) -> None:
    with Terminal("run", "small") as terminal:
        terminal.read_to("> ")
        terminal.type("\x04")
        assert terminal.process.wait(LONG) == 0


class Terminal:
    """The command with a terminal of its own."""

    def __init__(self, *words: str) -> None:
        import pty

        self.ours, theirs = pty.openpty()
        env = {**os.environ, "TERM": "xterm"} | {"NO_COLOR": ""}
        command = [sys.executable, "-m", "llamaswap_py", *words]
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def read_to(self, pattern: str) -> None:
        seen = ""
        while not re.search(pattern, seen):
            assert select.select([self.ours], [], [], LONG)[0], f"{pattern!r} never came: {seen!r}"
            seen += os.read(self.ours, 65536).decode()


THOUGHTS: list[dict[str, Any]] = [
    {"choices": [{"delta": {"role": "assistant", "content": None}}]},
    {"choices": [{"delta": {"reasoning_content": "Hm, "}}]},
    {"choices": [{"delta": {"reasoning_content": "yes."}}]},
    {"choices": [{"delta": {"content": "A\033[2Jye."}}]},
    {"choices": [{"delta": {}, "finish_reason": "stop"}]},
]


def stream_of(*answer: dict[str, Any]) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in answer)


def test_what_the_model_thought_is_not_in_a_pipe(upstream: Upstream, capsys: Output) -> None:
    upstream.chat = stream_of(*THOUGHTS)
    assert main(["run", "small", "hello"]) == 0
    assert capsys.readouterr().out == "A\033[2Jye.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_what_the_model_thought_is_dim_in_a_terminal_and_nothing_it_says_steers_it(upstream: Upstream) -> None:
    upstream.chat = stream_of(*THOUGHTS)
    with Terminal("run", "small", "hello") as terminal:
        terminal.read_to(r"^\033\[2mHm, \033\[0m\033\[2myes.\033\[0m\033\[2m\r\n\r\n\033\[0mA\[2Jye\.\r\n")
        assert terminal.process.wait(LONG) == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (stream_of(*THOUGHTS[:3]), "ended before it was complete"),
        ("data: nonsense\n\n", "cannot be read: nonsense"),
        ("data: []\n\n", "cannot be read: []"),
        ('data: {"error":"no memory"}\n\n', "broke off: no memory"),
        ('data: {"error":{"code":500}}\n\n', "broke off: {'code': 500}"),
        ('error: {"code":500,"message":"no slot"}\n\n', "broke off: no slot"),
    ],
)
def test_an_answer_that_is_none_is_told(upstream: Upstream, capsys: Output, answer: str, reason: str) -> None:
    upstream.chat = answer
    assert main(["run", "small", "hello"]) == 1
    assert reason in capsys.readouterr().err


def test_events_are_the_same_however_they_are_cut() -> None:
    raw = ': hello\n\ndata: {"a": "é"}\r\n\r\nevent: x\ndata:[DONE]\n\n'.encode()
    for size in range(1, len(raw) + 1):
        pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
        assert list(events(pieces)) == ['{"a": "é"}', "[DONE]"]


def test_speed_is_counted_where_the_server_does_not_say_it() -> None:
    cost = Cost(asked_at=10.0)
    for now in (10.5, 11.0, 12.5):
        cost.saw_piece(now)
    cost.read({"usage": {"completion_tokens": 21}, "timings": None})
    assert str(cost) == "21 tokens, 10.0 tokens/s, first after 0.50 s"


def test_content_that_is_no_error_is_let_through() -> None:
    assert content_of('{"error": null}') == {"error": None}
    with pytest.raises(Failed, match="cannot be read"):
        content_of("1")
