"""What answers say they cost, in every form, whole and cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.wire.usage import NOTHING, Usage, error_of, usage_of, usage_of_ends
from llamaswap_py.wire.window import LAST, Body, Window, body_of
from tests.fakes import llama_answers as answers

STREAM, JSON = "text/event-stream; charset=utf-8", "application/json"
CHAT = "/v1/chat/completions"
TIMINGS = {
    "cache_n": 7, "prompt_n": 5, "prompt_ms": 10, "prompt_per_second": 500.5, "predicted_n": 9, "predicted_ms": 90.5,
    "predicted_per_second": 99.5,
}  # fmt: skip
TIMED = Usage(5, 9, 7, -1, -1, 500.5, 99.5, 100.5)


def whole(answer: object, path: str = CHAT) -> Usage:
    return usage_of(path, JSON, Body(json.dumps(answer).encode()))


def events(*pieces: object) -> Usage:
    text = b"".join(piece if isinstance(piece, bytes) else answers.data(piece) for piece in pieces)
    return usage_of(CHAT, STREAM, Body(text))


@pytest.mark.parametrize("path", list(answers.ROUTES))
def test_it_agrees_with_the_server_for_every_route_streamed_and_whole(path: str) -> None:
    body = {"messages": [{"content": "one two three"}], "stream_options": {"include_usage": True}}
    q = answers.question("m", body, None, 0)
    answer = answers.ROUTES[path](q)
    spent = len(q.tokens) if answer.closing else 0
    said = 0 if path.endswith("count_tokens") else q.prompt_tokens
    usage = whole(answer.whole, path)
    assert (usage.input, usage.output) == (said, spent)
    if answer.closing:
        stream = Body(b"".join((*answer.opening, *answer.tokens, *answer.closing)))
        assert usage_of(path, STREAM, stream)[:3] == usage[:3]


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4}, Usage(3, 4)),
        ({"input_tokens": 3, "output_tokens": 4}, Usage(3, 4)),
        ({"prompt_tokens": 3, "input_tokens": 9}, Usage(3, 0)),
        ({"prompt_tokens": 3, "cache_read_input_tokens": 2}, Usage(3, 0, 2)),
        ({"prompt_tokens": 3, "input_tokens_details": {"cached_tokens": 1}}, Usage(3, 0, 1)),
        ({"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 0}}, Usage(3, 0, 0)),
        ({"prompt_tokens": 3, "prompt_tokens_details": None}, Usage(3, 0)),
        (
            {"prompt_tokens": "3", "completion_tokens": 4.0, "prompt_tokens_details": {"cached_tokens": 2}},
            Usage(0, 4, 2),
        ),
        ({"prompt_tokens": "3", "completion_tokens": True}, Usage()),
        ({"prompt_tokens": -3, "completion_tokens": 1e300}, Usage()),
    ],
)
def test_usage_is_read_under_each_of_its_names(said: dict[str, Any], usage: Usage) -> None:
    assert whole({"usage": said}) == usage
    assert events({"usage": said}) == usage


def test_llama_cpps_timings_override_usage() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 1, "cache_read_input_tokens": 3}
    assert whole({"usage": usage, "timings": TIMINGS}) == TIMED
    without_cache = {name: value for name, value in TIMINGS.items() if name != "cache_n"}
    assert whole({"usage": usage, "timings": without_cache}).cached == 3
    assert whole({"timings": {"prompt_n": 4}}) == Usage(4, 0, -1, -1, -1, 0.0, 0.0)


def test_drafts_count_only_where_both_numbers_are_there() -> None:
    assert whole({"timings": {**TIMINGS, "draft_n": 6, "draft_n_accepted": 2}})[3:5] == (6, 2)
    assert whole({"timings": {**TIMINGS, "draft_n": 6}})[3:5] == (-1, -1)
    drafts = {"num_draft_tokens": 8, "num_accepted_draft_tokens": 3}
    assert whole({"metrics": {"speculative_decoding": drafts}})[3:5] == (8, 3)
    assert whole({"metrics": {"speculative_decoding": {"num_draft_tokens": 8}}})[3:5] == (-1, -1)


def test_vllms_metrics_become_speeds() -> None:
    usage = {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 50}}
    metrics = {"time_to_first_token_ms": 500, "mean_itl_ms": 20}
    assert whole({"usage": usage, "metrics": metrics})[5:7] == (100.0, 50.0)
    assert whole({"metrics": {"mean_itl_ms": 0}})[5:7] == (-1, -1)


def test_infills_array_is_read_by_its_last_element() -> None:
    assert whole([{"timings": {"prompt_n": 1}}, {"timings": TIMINGS}], "/infill") == TIMED
    assert whole([], "/infill") == NOTHING
    assert whole({"timings": TIMINGS}, "/infill") == TIMED
    assert whole([{"timings": TIMINGS}]) == NOTHING


@pytest.mark.parametrize("answer", [{}, [], 5, {"usage": None}, {"usage": 5}, {"input_tokens": 3}])
def test_an_answer_that_says_nothing_is_nothing(answer: object) -> None:
    assert whole(answer) == events(answer) == NOTHING


def test_what_is_not_json_is_nothing() -> None:
    broken = b'{"usage": {"prompt_tokens": '
    for text in (b"", broken, b'{"usage": {"prompt_tokens": "\xff"}}', b'{"usage": {"a": ' + b"[" * 100_000):
        assert usage_of(CHAT, JSON, Body(text)) == NOTHING
        assert events(b"data: " + text + b"\n\n") == NOTHING
        assert usage_of("/infill", JSON, Body(text)) == NOTHING
    assert usage_of(CHAT, JSON, Body(broken, broken, whole=False)) == NOTHING
    assert usage_of(CHAT, JSON, Body(b"", b'{"usage": {"a": ' + b"[" * 100_000, whole=False)) == NOTHING


def test_later_events_override_where_they_say_something() -> None:
    first = {"message": {"usage": {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 1}}}
    assert events(first, {"usage": {"output_tokens": 8}}) == Usage(5, 8, 2)
    assert events(first, {"usage": {"input_tokens": 0, "output_tokens": 0}}) == Usage(5, 1, 2)
    assert events({"timings": {"prompt_n": 1}}, {"timings": TIMINGS}) == TIMED
    assert events({"response": {"usage": {"input_tokens": 3}}}, {"message": "text, no object"}) == Usage(3)


def test_an_event_is_found_however_its_line_is_written() -> None:
    usage = b'{"usage": {"prompt_tokens": 3}, "message": {"usage": {"completion_tokens": 2}}}'
    for text in (b"data:%b", b"data: %b\n", b"event: x\r\n  data: %b\r\ndata: [DONE]", b": ping\rdata: %b\r\r"):
        assert events(text % usage) == Usage(3, 2)
    for text in (b": %b\n", b"event: %b\n"):
        assert events(text % usage) == NOTHING


def test_of_a_long_stream_the_first_and_the_last_events_count() -> None:
    q = answers.question("m", {"messages": [{"content": "one two three"}]}, 5000, 40)
    answer = answers.messages(q)
    window = Window()
    for piece in (*answer.opening, *answer.tokens, *answer.closing):
        window.add(piece)
    window.weigh(window.size)
    body = body_of(window, chunked=False)
    assert not body.whole
    assert usage_of("/v1/messages", STREAM, body)[:3] == (3, 5000, 0)


def test_an_event_of_which_the_end_is_left_is_read_too() -> None:
    cut = b'xt", "response": {"usage": {"input_tokens": 3, "output_tokens": 4}}}\n\n'
    text = cut + b'data: {"usage":{"output_tokens":5}}\n\n'
    assert usage_of(CHAT, STREAM, Body(b"data: {", text, whole=False)) == Usage(3, 5)


def test_a_long_json_answer_is_read_where_its_numbers_stand() -> None:
    for answer in ({"usage": {"prompt_tokens": 3}, "data": "x" * LAST * 4}, {"x": "x" * LAST * 4, "timings": TIMINGS}):
        text = json.dumps(answer).encode()
        body = Body(text[:1000], text[-1000:], whole=False)
        assert usage_of(CHAT, JSON, body) == whole(answer)


def test_a_text_that_talks_about_usage_says_nothing() -> None:
    text = json.dumps({"content": json.dumps({"usage": {"prompt_tokens": 3}})}).encode()
    assert usage_of(CHAT, JSON, Body(text, text, whole=False)) == NOTHING


@given(st.binary(max_size=300), st.binary(max_size=300), st.booleans())
def test_no_bytes_are_too_strange(first: bytes, last: bytes, stream: bool) -> None:
    told = b'data: {"usage": {"prompt_tokens": '
    usage_of(CHAT, STREAM if stream else JSON, Body(told + first, told + last, whole=False))
    usage_of("/infill", STREAM if stream else JSON, Body(first))
    error_of(500, first)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, {"error": {"message": "out of memory", "code": 500}}, "out of memory"),
        (401, {"error": "Unauthorized"}, "Unauthorized"),
        (400, {"error": {"message": " "}, "message": "so not"}, "so not"),
        (422, {"detail": "a field is missing"}, "a field is missing"),
        (503, {"detail": ["no text"]}, "503 Service Unavailable"),
        (404, [], "404 Not Found"),
        (599, {}, "HTTP 599"),
        (500, {"error": "é" * 300}, "é" * 250 + "..."),
    ],
)
def test_the_sentence_of_an_error_is_found_wherever_servers_put_it(status: int, body: object, error: str) -> None:
    assert error_of(status, json.dumps(body).encode()) == error


def test_of_two_ends_the_last_must_name_numbers() -> None:
    """Else they may stand before it."""
    first = b'data: {"message": {"usage": {"input_tokens": 5, "output_tokens": 1}}}\n\n'
    last = b'data: {"usage": {"output_tokens": 900}}\n\n'
    assert usage_of_ends(Body(first, b"data: word\n\n", whole=False)) is None
    told = usage_of_ends(Body(first, b"word\n\n" + last, whole=False))
    assert told is not None
    assert (told.input, told.output) == (5, 900)
    assert usage_of_ends(Body(b"", b'data: {"usage": 7}\n\n', whole=False)) is None
