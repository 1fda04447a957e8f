"""The fake is what it says: the real client libraries understand it, and it misbehaves only as told."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.fakes.llama_answers import text_of, tokens_of

SCRIPT = Path(__file__).with_name("llama_server.py")
PROMPT = "Say something nice, please."
CHAT = {"messages": [{"role": "user", "content": PROMPT}]}

if sys.platform == "win32":
    pytest.skip("the fake is driven by signals here", allow_module_level=True)


class Fake:
    """One running fake; `line` waits for a line of its log."""

    def __init__(self, journal: Path, *flags: str) -> None:
        self.journal = journal
        command = [sys.executable, str(SCRIPT), "--port", "0", "--alias", "m", "--journal", str(journal), *flags]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.callers: list[http.client.HTTPConnection] = []
        self.port = int(self.line("listening on").rpartition(":")[2].split()[0])

    def line(self, words: str) -> str:
        assert self.process.stderr is not None
        return next(line for line in self.process.stderr if words in line)

    def ready(self) -> Fake:
        self.line("model loaded")
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, body: object = None, **headers: str) -> http.client.HTTPResponse:
        caller = self.caller()
        caller.request("GET" if body is None else "POST", path, json.dumps(body), headers)
        return caller.getresponse()

    def caller(self) -> http.client.HTTPConnection:
        self.callers.append(http.client.HTTPConnection("127.0.0.1", self.port))
        return self.callers[-1]

    def leave(self) -> None:
        """All callers close."""
        for caller in self.callers:
            caller.close()

    def get(self, path: str, body: object = None, **headers: str) -> Any:
        return json.loads(self.ask(path, body, **headers).read())

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.journal.read_text().splitlines()]

    def end(self) -> int:
        self.leave()
        self.process.kill()
        self.process.communicate()
        return self.process.returncode


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def fake(journal: Path) -> Iterator[Fake]:
    made = Fake(journal).ready()
    yield made
    made.end()


@pytest.fixture
def flags(request: pytest.FixtureRequest) -> list[str]:
    return list(request.param)


@pytest.fixture
def told(journal: Path, flags: list[str]) -> Iterator[Fake]:
    """A fake with flags of its own, perhaps never ready."""
    made = Fake(journal, *flags)
    yield made
    made.end()


def test_openais_library_reads_chats_whole_and_streamed(fake: Fake) -> None:
    with openai.OpenAI(base_url=f"{fake.url}/v1", api_key="x", max_retries=0) as client:
        whole = client.chat.completions.create(model="m", messages=[{"role": "user", "content": PROMPT}])
        assert whole.choices[0].message.content == text_of("m", PROMPT)
        assert whole.choices[0].finish_reason == "stop"
        stream = client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": PROMPT}],
            max_tokens=3,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text_of("m", PROMPT, 3)
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "length"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 3


def test_openais_library_reads_completions_responses_embeddings_and_models(fake: Fake) -> None:
    with openai.OpenAI(base_url=f"{fake.url}/v1", api_key="x", max_retries=0) as client:
        pieces = client.completions.create(model="m", prompt=PROMPT, stream=True)
        assert "".join(piece.choices[0].text for piece in pieces) == text_of("m", PROMPT)
        assert client.responses.create(model="m", input=PROMPT).output_text == text_of("m", PROMPT)
        with client.responses.stream(model="m", input=PROMPT) as stream:
            assert stream.get_final_response().output_text == text_of("m", PROMPT)
        assert len(client.embeddings.create(model="m", input=["a", "b"]).data[1].embedding) == 8
        assert [model.id for model in client.models.list()] == ["m"]


def test_anthropics_library_reads_messages_and_counts(fake: Fake) -> None:
    with anthropic.Anthropic(base_url=fake.url, api_key="x", max_retries=0) as client:
        messages: list[Any] = [{"role": "user", "content": PROMPT}]
        whole = client.messages.create(model="m", max_tokens=100, messages=messages)
        assert [block.text for block in whole.content if block.type == "text"] == [text_of("m", PROMPT)]
        with client.messages.stream(model="m", max_tokens=2, messages=messages) as stream:
            final = stream.get_final_message()
        assert [block.text for block in final.content if block.type == "text"] == [text_of("m", PROMPT, 2)]
        assert final.stop_reason == "max_tokens"
        assert final.usage.output_tokens == 2
        assert client.messages.count_tokens(model="m", messages=messages).input_tokens == 4


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank", "/v1/reranking", "/reranking"])
def test_reranking_scores_every_document(fake: Fake, path: str) -> None:
    answer = fake.get(path, {"query": "q", "documents": ["a", "b", "c"]})
    assert sorted(row["index"] for row in answer["results"]) == [0, 1, 2]


@pytest.mark.parametrize("path", ["/completion", "/infill"])
def test_the_native_shapes_stream_without_done(fake: Fake, path: str) -> None:
    assert fake.get(path, {"prompt": PROMPT})["content"] == text_of("m", PROMPT)
    text = fake.ask(path, {"prompt": PROMPT, "stream": True}).read().decode()
    pieces = [json.loads(event.removeprefix("data: ")) for event in text.split("\n\n") if event]
    assert "".join(piece["content"] for piece in pieces) == text_of("m", PROMPT)
    assert [piece["stop"] for piece in pieces] == [False] * 8 + [True]


def test_it_announces_and_keeps_the_limits_of_a_connection(journal: Path) -> None:
    fake = Fake(journal, "--keep-alive-max", "2").ready()
    connection = fake.caller()
    heads = []
    for _ in range(2):
        connection.request("GET", "/health")
        response = connection.getresponse()
        response.read()
        heads.append((response.headers["Keep-Alive"], response.headers["Connection"]))
    fake.end()
    assert heads == [("timeout=5, max=2", None), (None, "close")]


def test_one_question_always_has_the_same_bytes_for_an_answer(fake: Fake) -> None:
    body = {**CHAT, "stream": True}
    assert fake.ask("/v1/chat/completions", body).read() == fake.ask("/v1/chat/completions", body).read()
    assert text_of("m", PROMPT) != text_of("n", PROMPT)


@pytest.mark.parametrize("flags", [["--never-healthy"]], indirect=True)
def test_it_may_stay_unhealthy_for_ever(told: Fake) -> None:
    assert told.get("/health")["error"]["message"] == "Loading model"
    assert told.ask("/v1/models").status == 503


@pytest.mark.parametrize("flags", [["--api-key", "k"]], indirect=True)
def test_a_key_is_wanted_everywhere_but_on_health(told: Fake) -> None:
    told.ready()
    assert told.ask("/v1/models").status == 401
    assert told.ask("/v1/models", Authorization="Bearer k").status == 200
    assert told.ask("/v1/models", **{"x-api-key": "k"}).status == 200
    assert told.ask("/health").status == 200


def test_it_may_exit_at_once_with_last_words() -> None:
    command = [sys.executable, str(SCRIPT), "--exit", "--exit-code", "7", "--stderr", "no memory", "--spew", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 7
    assert done.stderr.startswith("no memory\n")
    assert done.stdout == "line 0 of a chatty server\n"


def streamed(fake: Fake, switches: str) -> http.client.HTTPResponse:
    return fake.ask("/v1/chat/completions", {**CHAT, "stream": True}, **{"X-Fake": switches})


def test_words_come_as_many_and_as_long_as_asked(fake: Fake) -> None:
    text = streamed(fake, "words=3 pad=50").read().decode()
    assert [token for token in tokens_of("m", PROMPT, 3, 50) if json.dumps(token, ensure_ascii=False) not in text] == []
    in_prompt = f"{PROMPT} [fake words=2]"
    answer = fake.get("/v1/chat/completions", {"messages": [{"role": "user", "content": in_prompt}]})
    assert answer["choices"][0]["message"]["content"] == text_of("m", in_prompt, 2)


def test_it_crashes_before_the_first_byte(fake: Fake) -> None:
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        streamed(fake, "crash=before")
    assert fake.process.wait() == -signal.SIGKILL


def test_it_crashes_in_the_middle(fake: Fake) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        streamed(fake, "crash=2").read()
    assert fake.process.wait() == -signal.SIGKILL


def test_it_cuts_a_stream_and_lives(fake: Fake) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        streamed(fake, "cut=2").read()
    assert fake.ask("/health").status == 200


def test_it_sends_an_error_in_the_middle(fake: Fake) -> None:
    text = streamed(fake, "error=2").read().decode()
    assert text.count("data: ") == 3
    assert '"type":"server_error"' in text


def test_it_answers_with_the_status_it_was_told(fake: Fake) -> None:
    assert streamed(fake, "status=507").status == 507


def test_a_broken_body_is_refused(fake: Fake) -> None:
    connection = fake.caller()
    connection.request("POST", "/v1/chat/completions", "{")
    assert connection.getresponse().status == 400


def test_a_stalled_answer_ends_when_the_caller_leaves_and_the_journal_says_so(fake: Fake) -> None:
    assert streamed(fake, "stall=2").readline().startswith(b"data: ")
    fake.leave()
    fake.process.terminate()
    assert fake.process.wait() == 0
    kinds = [event["event"] for event in fake.events()]
    assert kinds[:4] == ["start", "ready", "open", "request"]
    assert sorted(kinds[4:]) == ["close", "exit", "gone", "signal"]
    assert fake.events()[3]["headers"]["x-fake"] == "stall=2"


def test_as_the_real_one_it_waits_for_its_caller_on_sigterm_until_asked_again(fake: Fake) -> None:
    assert streamed(fake, "stall=2").readline().startswith(b"data: ")
    fake.process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        fake.process.wait(0.2)
    fake.process.terminate()
    assert fake.process.wait() == 1


@pytest.mark.parametrize("flags", [["--polite"]], indirect=True)
def test_a_polite_one_goes_at_once(told: Fake) -> None:
    told.ready()
    assert streamed(told, "stall=2").readline().startswith(b"data: ")
    told.process.terminate()
    assert told.process.wait() == -signal.SIGTERM


@pytest.mark.parametrize("flags", [["--ignore-sigterm", "--die-after", "0.3", "--exit-code", "9"]], indirect=True)
def test_a_stubborn_one_ignores_sigterm_and_may_die_of_itself(told: Fake) -> None:
    told.ready().process.terminate()
    assert told.process.wait() == 9


@pytest.mark.parametrize("flags", [["--grandchild"]], indirect=True)
def test_a_grandchild_stays_in_a_session_of_its_own(told: Fake) -> None:
    told.ready()
    number = next(event["grandchild"] for event in told.events() if event["event"] == "grandchild")
    told.process.kill()
    told.process.wait()
    assert os.getsid(number) == number
    os.kill(number, signal.SIGKILL)


def test_chunked_requests_and_pipelined_ones_are_read(fake: Fake) -> None:
    body = json.dumps(CHAT).encode()
    chunked = b"%x\r\n%s\r\n%x;x=y\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" % (5, body[:5], len(body) - 5, body[5:])
    with socket.create_connection(("127.0.0.1", fake.port)) as caller:
        head = b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        caller.sendall(head + chunked + b"GET /health HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: caller.recv(65536), b"")).decode()
    assert answer.count("HTTP/1.1 200 OK") == 2
    assert answer.endswith('{"status":"ok"}')
