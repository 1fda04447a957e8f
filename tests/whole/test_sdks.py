"""The clients that people use, the `openai` and `anthropic` packages, against the running program."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator

import anthropic
import httpx
import openai
import psutil
import pytest
from anthropic.types import MessageParam
from openai.types.chat import ChatCompletionMessageParam

from tests.fakes.llama_answers import text_of
from tests.whole.asking import chat as plainly
from tests.whole.asking import forgive, pids, turned_away
from tests.whole.journal import Journal
from tests.whole.program import LONG, Program, config, model

KEY = "sk-the-house-key"
CHILD_KEY = "sk-the-childs-own"
TOKENS = 64
DYING = "[fake words=9 crash=3] say something long"


@pytest.fixture(scope="module")
def seats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """What the model with room for a single caller writes down."""
    with Journal(tmp_path_factory.mktemp("seats")) as book:
        yield book


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, seats: Journal) -> Iterator[Program]:
    """No keys: models that exclude each other, one with room for a single caller, one that cannot start."""
    folder = tmp_path_factory.mktemp("open")
    text = config(
        model("one"),
        model("two"),
        model("narrow", seats.option, concurrencyLimit=1),
        model("stillborn", "--exit --exit-code 7 --stderr 'the weights are missing'"),
        model("keyed", f"--api-key {CHILD_KEY}"),
    )
    with Program(folder, text, watch=False) as started:
        yield started


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, Journal]]:
    """A program with a key, and the journal of its one model."""
    folder = tmp_path_factory.mktemp("locked")
    with Journal(folder) as book:
        text = config(model("one", book.option), apiKeys=f"[{KEY}]")
        with Program(folder, text, watch=False) as started:
            yield started, book


@pytest.fixture(scope="module")
def oai(program: Program) -> Iterator[openai.OpenAI]:
    with openai_client(program) as client:
        yield client


@pytest.fixture(scope="module")
def claude(program: Program) -> Iterator[anthropic.Anthropic]:
    with anthropic_client(program) as client:
        yield client


def openai_client(program: Program, key: str = "any") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{program.url}/v1", api_key=key, max_retries=0, timeout=LONG)


def anthropic_client(program: Program, key: str = "any") -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=program.url, api_key=key, max_retries=0, timeout=LONG)


def says(text: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


def said(text: str) -> list[MessageParam]:
    return [{"role": "user", "content": text}]


def chat(client: openai.OpenAI, name: str, prompt: str) -> str:
    return client.chat.completions.create(model=name, messages=says(prompt)).choices[0].message.content or ""


def chat_stream(client: openai.OpenAI, name: str, prompt: str) -> str:
    chunks = client.chat.completions.create(model=name, messages=says(prompt), stream=True)
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def message(client: anthropic.Anthropic, name: str, prompt: str) -> str:
    answer = client.messages.create(model=name, max_tokens=TOKENS, messages=said(prompt))
    return "".join(block.text for block in answer.content if block.type == "text")


def message_stream(client: anthropic.Anthropic, name: str, prompt: str) -> str:
    with client.messages.stream(model=name, max_tokens=TOKENS, messages=said(prompt)) as stream:
        return "".join(stream.text_stream)


# -- answers


@pytest.mark.parametrize("ask", [chat, chat_stream])
def test_openai_chat_swaps_models(program: Program, oai: openai.OpenAI, ask: object) -> None:
    """Two models that exclude each other answer in turn; each turn is a new process, and the old one is gone."""
    assert callable(ask)
    seen: list[int] = []
    for name in ("one", "two", "one"):
        assert ask(oai, name, "Grüße 🙂") == text_of(name, "Grüße 🙂")
        up = pids(program)
        assert list(up) == [name]
        seen.append(up[name])
    assert len(set(seen)) == 3
    assert [psutil.pid_exists(pid) for pid in seen] == [False, False, True]


@pytest.mark.parametrize("ask", [message, message_stream])
def test_anthropic_messages_swap_models(program: Program, claude: anthropic.Anthropic, ask: object) -> None:
    """The same through the other API."""
    assert callable(ask)
    seen: list[int] = []
    for name in ("two", "one", "two"):
        assert ask(claude, name, "naïve 日本") == text_of(name, "naïve 日本")
        up = pids(program)
        assert list(up) == [name]
        seen.append(up[name])
    assert [psutil.pid_exists(pid) for pid in seen] == [False, False, True]


def test_the_same_model_answers_both_apis_from_one_process(
    program: Program, oai: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    """A second request to what is up starts nothing."""
    chat(oai, "one", "a")
    first = pids(program)
    message(claude, "one", "b")
    assert pids(program) == first


def test_openai_completions(oai: openai.OpenAI) -> None:
    """The old completions, whole and as a stream."""
    whole = oai.completions.create(model="one", prompt="once upon")
    assert whole.choices[0].text == text_of("one", "once upon")
    chunks = oai.completions.create(model="one", prompt="once upon", stream=True)
    assert "".join(chunk.choices[0].text for chunk in chunks) == text_of("one", "once upon")


def test_openai_embeddings(oai: openai.OpenAI) -> None:
    """Vectors arrive as the model's server made them, in the SDK's own base64 and as numbers."""
    texts = ["first", "zweite"]
    wanted = [[byte / 256 for byte in hashlib.sha256(f"two\0{text}".encode()).digest()[:8]] for text in texts]
    assert [row.embedding for row in oai.embeddings.create(model="two", input=texts).data] == wanted
    plain = oai.embeddings.create(model="two", input=texts, encoding_format="float")
    assert [row.embedding for row in plain.data] == wanted


def test_openai_responses(oai: openai.OpenAI) -> None:
    """The Responses API, whole and as a stream of typed events."""
    assert oai.responses.create(model="one", input="hello").output_text == text_of("one", "hello")
    with oai.responses.stream(model="one", input="hello") as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_response().output_text == text_of("one", "hello")
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


def test_anthropic_count_tokens(claude: anthropic.Anthropic) -> None:
    """Counting is asked of the model's own server."""
    assert claude.messages.count_tokens(model="two", messages=said("one two three")).input_tokens == 3


def test_both_sdks_list_the_models(oai: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    """The list is read by both packages, and names every model."""
    names = ["keyed", "narrow", "one", "stillborn", "two"]
    assert [row.id for row in oai.models.list()] == names
    assert [row.id for row in claude.models.list()] == names


async def test_a_swap_waits_for_the_stream_in_flight(program: Program) -> None:
    """Somebody asks for the other model in mid-stream: the stream arrives whole, then the other model answers."""
    slow = "[fake words=25 interval=0.02] a long one"
    async with openai.AsyncOpenAI(base_url=f"{program.url}/v1", api_key="any", max_retries=0) as client:
        chunks = await client.chat.completions.create(model="one", messages=says(slow), stream=True)
        pieces = [(await anext(aiter(chunks))).choices[0].delta.content or ""]
        other = asyncio.create_task(client.chat.completions.create(model="two", messages=says("short")))
        pieces += [choice.delta.content or "" async for chunk in chunks for choice in chunk.choices]
        answer = await other
    assert "".join(pieces) == text_of("one", slow, 25)
    assert answer.choices[0].message.content == text_of("two", "short")
    assert list(pids(program)) == ["two"]


async def test_many_callers_of_both_models_and_both_sdks_at_once(program: Program) -> None:
    """Twenty callers, two models, two packages: everybody gets the bytes of the model that was asked."""

    async def by_openai(name: str, prompt: str) -> str:
        chunks = await openai_caller.chat.completions.create(model=name, messages=says(prompt), stream=True)
        return "".join([choice.delta.content or "" async for chunk in chunks for choice in chunk.choices])

    async def by_anthropic(name: str, prompt: str) -> str:
        async with claude_caller.messages.stream(model=name, max_tokens=TOKENS, messages=said(prompt)) as stream:
            return "".join([text async for text in stream.text_stream])

    async with (
        openai.AsyncOpenAI(base_url=f"{program.url}/v1", api_key="any", max_retries=0) as openai_caller,
        anthropic.AsyncAnthropic(base_url=program.url, api_key="any", max_retries=0) as claude_caller,
    ):
        asks = [((by_openai, by_anthropic)[n % 2], ("one", "two")[n // 2 % 2], f"caller {n}") for n in range(20)]
        texts = await asyncio.gather(*(ask(name, prompt) for ask, name, prompt in asks))
    assert texts == [text_of(name, prompt) for _, name, prompt in asks]


# -- refusals


def test_an_unknown_model_is_not_found(oai: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    """Both packages raise NotFoundError with a sentence that helps; code and type are where programs look for them."""
    with pytest.raises(openai.NotFoundError, match="there is no model 'onne' here; did you mean one") as caught:
        chat(oai, "onne", "x")
    assert (caught.value.code, caught.value.type) == ("model_not_found", "invalid_request_error")
    with pytest.raises(anthropic.NotFoundError, match="there is no model 'onne' here; did you mean one"):
        message(claude, "onne", "x")


@pytest.mark.parametrize("key", ["wrong", f"{KEY}-and-more"])
def test_a_wrong_key_is_an_authentication_error(locked: tuple[Program, Journal], key: str) -> None:
    """Both packages raise AuthenticationError, and the sentence says how a key is sent."""
    program, _ = locked
    with openai_client(program, key) as oai, pytest.raises(openai.AuthenticationError, match="Authorization: Bearer"):
        oai.models.list()
    with anthropic_client(program, key) as claude, pytest.raises(anthropic.AuthenticationError, match="x-api-key"):
        message(claude, "one", "x")


def test_a_missing_key_is_an_authentication_error(locked: tuple[Program, Journal]) -> None:
    """As for a wrong one."""
    program, _ = locked
    with openai_client(program) as oai, pytest.raises(openai.AuthenticationError, match="Authorization: Bearer"):
        oai.models.list(extra_headers={"Authorization": openai.Omit()})
    with anthropic_client(program) as claude, pytest.raises(anthropic.AuthenticationError, match="x-api-key"):
        claude.models.list(extra_headers={"X-Api-Key": anthropic.Omit()})


def test_the_right_key_opens_and_goes_no_further(locked: tuple[Program, Journal]) -> None:
    """With apiKeys set, the key is the proxy's: the model's server never sees it."""
    program, book = locked
    with openai_client(program, KEY) as oai, anthropic_client(program, KEY) as claude:
        assert chat(oai, "one", "x") == text_of("one", "x")
        assert message(claude, "one", "y") == text_of("one", "y")
        assert [row.id for row in oai.models.list()] == ["one"]
    asked = book.wait("request", 2, method="POST")
    assert [row["path"] for row in asked] == ["/v1/chat/completions", "/v1/messages"]
    assert KEY not in str(book.entries)


def test_without_keys_of_ours_the_callers_key_reaches_the_models_server(program: Program) -> None:
    """A model's server that was started with a key of its own can be used with it, and refuses others itself."""
    with openai_client(program, CHILD_KEY) as oai, anthropic_client(program, CHILD_KEY) as claude:
        assert chat(oai, "keyed", "x") == text_of("keyed", "x")
        assert message(claude, "keyed", "y") == text_of("keyed", "y")
    with openai_client(program, "another") as oai, pytest.raises(openai.AuthenticationError, match="Invalid API Key"):
        chat(oai, "keyed", "x")
    with (
        anthropic_client(program, "another") as claude,
        pytest.raises(anthropic.AuthenticationError, match="Invalid API Key"),
    ):
        message(claude, "keyed", "x")


def test_beyond_the_concurrency_limit_is_a_rate_limit(
    oai: openai.OpenAI, claude: anthropic.Anthropic, seats: Journal
) -> None:
    """While the one seat is taken both packages raise RateLimitError; when it is left the model answers again."""
    prompt = "[fake words=9 stall=3] hold the seat"
    with oai.chat.completions.create(model="narrow", messages=says(prompt), stream=True) as held:
        next(iter(held))
        with pytest.raises(openai.RateLimitError, match=r"model narrow .* concurrencyLimit") as caught:
            chat(oai, "narrow", "x")
        assert caught.value.response.headers["Retry-After"] == "1"
        with pytest.raises(anthropic.RateLimitError, match=r"model narrow .* concurrencyLimit"):
            message(claude, "narrow", "x")
    seats.wait("gone")
    assert chat(oai, "narrow", "x") == text_of("narrow", "x")


def test_a_command_that_exits_at_once(program: Program, oai: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    """A typed server error: how the command ended and what it said last."""
    why = r"(?s)model stillborn: its command ended with exit code 7 .*the weights are missing"
    forgive(program, "stillborn")
    with pytest.raises(openai.InternalServerError, match=why) as caught:
        chat(oai, "stillborn", "x")
    assert (caught.value.status_code, caught.value.code) == (502, "model_start_failed")
    forgive(program, "stillborn")
    with pytest.raises(anthropic.InternalServerError, match=why):
        message_stream(claude, "stillborn", "x")


def test_a_model_that_failed_a_moment_ago_says_when_to_come_back(
    program: Program, oai: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    """It is not tried again at once; the answer still says why it failed."""
    while int(turned_away(lambda: plainly(program, "stillborn", "x")).headers["Retry-After"]) < 3:
        pass  # until a pause comes that outlasts what is asked here
    with pytest.raises(openai.InternalServerError, match="the weights are missing") as caught:
        chat(oai, "stillborn", "x")
    assert (caught.value.status_code, caught.value.code) == (503, "model_start_backoff")
    assert int(caught.value.response.headers["Retry-After"]) >= 1
    with pytest.raises(anthropic.APIStatusError, match="the weights are missing") as other:
        message(claude, "stillborn", "x")
    assert other.value.status_code == 503


# -- answers that end badly

DIED = "its server ended with SIGKILL"
CUT = "the model's server closed the connection in the middle of its answer"


def test_a_death_before_the_first_byte(oai: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    """A typed 502, streaming or not."""
    prompt = "[fake crash=before] x"
    for ask in (chat, chat_stream):
        chat(oai, "one", "well")  # a server that does nothing but die is left alone
        with pytest.raises(openai.InternalServerError, match=DIED) as caught:
            ask(oai, "one", prompt)
        assert (caught.value.status_code, caught.value.code) == (502, "upstream_failed")
    for tell in (message, message_stream):
        chat(oai, "one", "well")
        with pytest.raises(anthropic.InternalServerError, match=DIED) as other:
            tell(claude, "one", prompt)
        assert other.value.status_code == 502


def test_a_death_in_a_chat_stream_raises(oai: openai.OpenAI) -> None:
    """What came before the death arrives, then the package raises: never a clean end."""
    pieces: list[str] = []
    chunks = oai.chat.completions.create(model="one", messages=says(DYING), stream=True)
    with pytest.raises(openai.APIError, match=CUT) as caught:
        pieces.extend(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert caught.value.code == "upstream_failed"
    assert pieces
    assert text_of("one", DYING, 9).startswith("".join(pieces))


@pytest.mark.parametrize("trouble", ["cut=3", "cut=0"])
def test_a_connection_cut_in_a_completions_stream_raises(oai: openai.OpenAI, trouble: str) -> None:
    """In the middle of an event, and in that of the first."""
    chunks = oai.completions.create(model="one", prompt=f"[fake words=9 {trouble}]", stream=True)
    with pytest.raises(openai.APIError, match=CUT):
        list(chunks)


def test_a_death_in_a_responses_stream_is_an_error_event_and_a_broken_end(oai: openai.OpenAI) -> None:
    """This package hands error events on, and then meets the broken message."""
    kinds: list[str] = []
    with pytest.raises((openai.APIError, httpx.RemoteProtocolError)):
        kinds.extend(event.type for event in oai.responses.create(model="one", input=DYING, stream=True))
    assert "response.completed" not in kinds
    assert kinds[-1] == "error"


def test_a_death_in_a_message_stream_raises(claude: anthropic.Anthropic) -> None:
    """What came before the death arrives, then the package raises: never a clean end."""
    pieces: list[str] = []
    with (
        pytest.raises(anthropic.APIStatusError, match=CUT),
        claude.messages.stream(model="one", max_tokens=TOKENS, messages=said(DYING)) as stream,
    ):
        pieces.extend(stream.text_stream)
    assert text_of("one", DYING, 9).startswith("".join(pieces))


async def test_a_death_raises_in_the_async_clients(program: Program) -> None:
    """Both packages' async clients, which read streams in code of their own."""
    async with openai.AsyncOpenAI(base_url=f"{program.url}/v1", api_key="any", max_retries=0) as oai:
        chunks = await oai.chat.completions.create(model="one", messages=says(DYING), stream=True)
        with pytest.raises(openai.APIError, match=CUT):
            [chunk async for chunk in chunks]
    async with anthropic.AsyncAnthropic(base_url=program.url, api_key="any", max_retries=0) as claude:
        with pytest.raises(anthropic.APIStatusError, match=CUT):
            async with claude.messages.stream(model="one", max_tokens=TOKENS, messages=said(DYING)) as stream:
                [text async for text in stream.text_stream]


def test_the_model_answers_again_after_a_death(oai: openai.OpenAI) -> None:
    """A server that died while it answered is started anew for the next caller."""
    with pytest.raises(openai.APIError):
        chat_stream(oai, "two", DYING)
    assert chat(oai, "two", "again") == text_of("two", "again")
