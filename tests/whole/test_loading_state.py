"""`sendLoadingState` against the running program: a stream begins before its model does, and stays what it promised."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.fakes.llama_answers import text_of
from tests.whole.asking import caller, forgive, openai_shape
from tests.whole.following import follow, state_of
from tests.whole.program import LONG, Program, config, model
from tests.whole.talk import chat_body

BAR = "━━━━━"
CHAT = "/v1/chat/completions"
TEXT = config(
    model("slow", "--load-seconds 0.9"),
    model("other", "--load-seconds 0.9"),
    model("quiet", "--load-seconds 0.2", sendLoadingState="false"),
    model("stillborn", "--exit --exit-code 7 --load-seconds 0.2"),
    model("endless", "--load-seconds 600"),
    model("narrow", "--load-seconds 0.3", concurrencyLimit=1),
    sendLoadingState="true",
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("loading"), TEXT, watch=False) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    """Nothing runs when a test begins."""
    for name in ("stillborn", "slow"):
        forgive(program, name)
    with caller(program) as client:
        client.get("/unload").raise_for_status()
        yield client


def events_of(text: str) -> list[Any]:
    return [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: {")]


def thoughts(text: str) -> str:
    """What was said of the loading, put together as a chat client does."""
    deltas = [event["choices"][0]["delta"] for event in events_of(text) if event.get("choices")]
    return "".join(delta.get("reasoning_content") or "" for delta in deltas)


def begun_and_broken(ask: httpx.Client, name: str, prompt: str) -> str:
    """What came of a stream that begins with status 200 and must not end as if it were whole."""
    data = b""
    try:
        with ask.stream("POST", CHAT, json=chat_body(name, prompt)) as response:
            assert response.status_code == 200
            for piece in response.iter_raw():
                data += piece
    except httpx.RemoteProtocolError:
        return data.decode()
    raise AssertionError(f"the stream ended well: {data!r}")


def read_on(connection: socket.socket) -> None:
    """To an orderly end, if there is one."""
    while connection.recv(65536):
        pass


def contents(text: str) -> str:
    deltas = [event["choices"][0]["delta"] for event in events_of(text) if event.get("choices")]
    return "".join(delta.get("content") or "" for delta in deltas)


@pytest.mark.fault("F43")
def test_a_cold_start_is_told_in_llama_swaps_sequence(ask: httpx.Client) -> None:
    """Bar, name, remarks and dots, `Done!` with the time, bar; then the answer, whole, in the same stream."""
    response = ask.post(CHAT, json=chat_body("slow", "hello"))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-cache"
    pattern = rf"{BAR}\nllama-swap loading model: slow\n\n[A-Z][^\n]*\.* \.*\nDone! \((\d+\.\d\d)s\)\n{BAR}\n \n"
    found = re.fullmatch(pattern, thoughts(response.text))
    assert found is not None, thoughts(response.text)
    assert float(found[1]) >= 0.9
    first = response.text.split("\n")[0]
    assert first == 'data: {"choices":[{"delta":{"reasoning_content":"━━━━━\\n"}}]}'
    assert contents(response.text) == text_of("slow", "hello", 8)
    assert response.text.endswith("data: [DONE]\n\n")


def test_nothing_is_told_when_the_model_is_ready(ask: httpx.Client) -> None:
    """The stream is the server's own from its first byte."""
    ask.post(CHAT, json=chat_body("slow", "hello"))
    assert BAR not in ask.post(CHAT, json=chat_body("slow", "hello")).text


@pytest.mark.parametrize(("name", "stream"), [("slow", False), ("quiet", True)])
def test_nothing_is_told_to_who_did_not_ask_for_a_stream_or_where_it_is_off(
    ask: httpx.Client, name: str, stream: bool
) -> None:
    response = ask.post(CHAT, json=chat_body(name, "hello", stream=stream))
    assert BAR not in response.text
    assert response.status_code == 200


def test_who_waits_in_the_queue_is_told_the_position(program: Program, ask: httpx.Client) -> None:
    """Of those who wait for a model whose turn has not come."""
    with follow(program) as page, ThreadPoolExecutor(2) as pool:
        long = pool.submit(ask.post, CHAT, json=chat_body("slow", "[fake words=50 interval=0.1] long"))
        page.until("modelStatus", state_of("slow", "ready"))
        told = ask.post(CHAT, json=chat_body("other", "hello")).text
        assert long.result().status_code == 200
    assert "\nQueue position: #1 " in thoughts(told)
    assert contents(told) == text_of("other", "hello", 8)


def test_a_failed_start_is_an_error_event_and_a_broken_close(ask: httpx.Client) -> None:
    """The status was sent long before; the client's library still sees that it failed, and why."""
    data = begun_and_broken(ask, "stillborn", "hello")
    error = events_of(data)[-1]
    assert error["error"]["code"] == "model_start_failed"
    assert "exit code 7" in error["error"]["message"]
    assert "[DONE]" not in data
    assert "Done!" not in data


def test_an_old_caller_sees_the_break_too(program: Program, ask: httpx.Client) -> None:
    """HTTP/1.0 has no chunks: only a reset tells a broken answer from a complete one."""
    host, _, port = program.url.removeprefix("http://").partition(":")
    body = json.dumps(chat_body("stillborn", "hello")).encode()
    head = f"POST {CHAT} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=LONG) as old:
        old.sendall(head.encode() + body)
        beginning = old.recv(65536)
        assert beginning.startswith(b"HTTP/1.0 200 OK\r\n")
        assert b"chunked" not in beginning
        with pytest.raises(ConnectionResetError):
            read_on(old)


@pytest.mark.parametrize("what", ["status=400", "status=503"])
def test_another_answer_than_a_stream_becomes_an_error_event(ask: httpx.Client, what: str) -> None:
    """Its status cannot be told any more, its message can."""
    error = events_of(begun_and_broken(ask, "slow", f"[fake {what}] hello"))[-1]["error"]
    assert error["code"] == "upstream_failed"
    assert re.match(rf"the model's server answered {what[-3:]} [A-Z].*: .+", error["message"])


def test_a_server_that_dies_before_its_first_byte_breaks_the_stream(ask: httpx.Client) -> None:
    data = begun_and_broken(ask, "slow", "[fake crash=before] hello")
    assert events_of(data)[-1]["error"]["code"] == "upstream_failed"
    assert "Done!" in data


def test_who_is_turned_away_at_once_gets_a_status(ask: httpx.Client) -> None:
    """Nothing is begun for a request that is not admitted."""
    with ask.stream("POST", CHAT, json=chat_body("narrow", "[fake words=5 stall=3] hello")) as first:
        pieces = first.iter_raw()
        next(pieces)
        refused = ask.post(CHAT, json=chat_body("narrow", "hello"))
        assert refused.status_code == 429
        assert openai_shape(refused)[0] == "concurrency_limit"


@pytest.mark.fault("F43")
def test_an_operators_cancel_ends_a_begun_wait_with_an_event(program: Program, ask: httpx.Client) -> None:
    """Not with a second head in the middle of the stream."""
    with follow(program) as page, caller(program) as operator, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(begun_and_broken, ask, "endless", "hello")
        entry = page.until("inflight", lambda told: told["operation"] == "upsert").data["request"]
        page.until("modelStatus", state_of("endless", "starting"))
        operator.post(f"/api/inflight/{entry['id']}/cancel").raise_for_status()
        data = asking.result()
    assert events_of(data)[-1]["error"]["code"] == "cancelled"
    assert "HTTP/1.1" not in data


def test_completions_and_responses_get_comment_lines(ask: httpx.Client) -> None:
    """Their clients skip them; nothing else may come before the first event."""
    body = {"model": "slow", "stream": True, "prompt": "hello"}
    told = ask.post("/v1/completions", json=body).text
    assert told.startswith(": ━━━━━\n\n: llama-swap loading model: slow\n\n: ")
    assert re.search(r"^: Done! \(\d+\.\d\ds\)$", told, re.MULTILINE)
    ask.get("/unload").raise_for_status()
    told = ask.post("/v1/responses", json={"model": "slow", "stream": True, "input": "hello"}).text
    assert told.startswith(": ━━━━━\n\n")
    assert "response.created" in told


def test_the_openai_package_reads_through_a_cold_start(program: Program, ask: httpx.Client) -> None:
    """Chat, and completions, and responses: every chunk parses, and the text is the model's."""
    with openai.OpenAI(base_url=f"{program.url}/v1", api_key="none", timeout=LONG, max_retries=0) as client:
        said = ""
        thought = ""
        for part in client.chat.completions.create(
            model="slow", stream=True, messages=[{"role": "user", "content": "hello"}]
        ):
            for choice in part.choices:
                said += choice.delta.content or ""
                thought += getattr(choice.delta, "reasoning_content", None) or ""
        assert said == text_of("slow", "hello", 8)
        assert thought.count(BAR) == 2
        ask.get("/unload").raise_for_status()
        with pytest.raises(openai.APIError, match="exit code 7"):
            for _ in client.chat.completions.create(
                model="stillborn", stream=True, messages=[{"role": "user", "content": "hello"}]
            ):
                pass
        texts = client.completions.create(model="slow", stream=True, prompt="hello")
        assert "".join(part.choices[0].text for part in texts if part.choices)
        ask.get("/unload").raise_for_status()
        events = list(client.responses.create(model="slow", stream=True, input="hello"))
        assert events[0].type == "response.created"
        ask.get("/unload").raise_for_status()
        with client.chat.completions.stream(model="slow", messages=[{"role": "user", "content": "hello"}]) as helper:
            assert helper.get_final_completion().choices[0].message.content == text_of("slow", "hello", 8)


def test_the_anthropic_package_reads_through_a_cold_start(program: Program, ask: httpx.Client) -> None:
    """Pings come first; its message is put together as if there had been no wait; a failure is its own error."""
    with anthropic.Anthropic(base_url=program.url, api_key="none", timeout=LONG, max_retries=0) as client:
        with client.messages.stream(
            model="slow", max_tokens=64, messages=[{"role": "user", "content": "hello"}]
        ) as stream:
            message = stream.get_final_message()
        assert message.content[0].type == "text"
        assert message.content[0].text
        with (
            pytest.raises(anthropic.APIStatusError, match="exit code 7"),
            client.messages.stream(
                model="stillborn", max_tokens=64, messages=[{"role": "user", "content": "hello"}]
            ) as stream,
        ):
            stream.get_final_message()
    ask.get("/unload").raise_for_status()
    body = {"model": "slow", "stream": True, "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
    told = ask.post("/v1/messages", json=body).text
    assert told.startswith('event: ping\ndata: {"type":"ping"}\n\n')
    assert "loading" not in told
