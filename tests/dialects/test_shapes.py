"""The exact shape of errors, family by family."""

from __future__ import annotations

import json

import pytest

from llamaswap_py.dialects import anthropic, openai, responses
from llamaswap_py.errors import (
    BadRequest,
    Internal,
    MethodNotAllowed,
    TooManyRequests,
    Unauthorized,
    UnknownModel,
    UpstreamFailed,
)


def test_openai_errors_are_an_object_with_four_members_and_a_source() -> None:
    assert json.loads(openai.refuse(UnknownModel("no such model")).body) == {
        "src": "llama-swap",
        "error": {
            "message": "no such model",
            "type": "invalid_request_error",
            "param": None,
            "code": "model_not_found",
        },
    }


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (Unauthorized("x"), "authentication_error"),
        (TooManyRequests("x"), "rate_limit_error"),
        (BadRequest("x"), "invalid_request_error"),
        (UpstreamFailed("x"), "server_error"),
    ],
)
def test_openai_error_types_follow_the_status(refusal: BadRequest, kind: str) -> None:
    assert json.loads(openai.refuse(refusal).body)["error"]["type"] == kind


def test_a_missing_key_is_challenged_so_that_browsers_ask_for_it() -> None:
    assert dict(openai.refuse(Unauthorized("x")).headers)["WWW-Authenticate"] == 'Basic realm="llama-swap"'


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (UnknownModel("x"), "not_found_error"),
        (TooManyRequests("x"), "rate_limit_error"),
        (MethodNotAllowed("x"), "invalid_request_error"),
        (Internal("x"), "api_error"),
    ],
)
def test_anthropic_errors_have_anthropics_names(refusal: BadRequest, kind: str) -> None:
    assert json.loads(anthropic.refuse(refusal).body) == {"type": "error", "error": {"type": kind, "message": "x"}}


def test_anthropic_streams_break_off_with_a_named_event() -> None:
    assert anthropic.broken(UpstreamFailed("it died")) == (
        b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"it died"}}\n\n'
    )


def test_responses_streams_break_off_with_their_own_event() -> None:
    assert responses.broken(UpstreamFailed("it died")) == (
        b'event: error\ndata: {"type":"error","code":"upstream_failed","message":"it died","param":null}\n\n'
    )


def test_chat_is_told_of_the_loading_as_llama_swap_does_it() -> None:
    say = openai.loading("/v1/chat/completions")
    assert say is not None
    assert say('"x"\n') == b'data: {"choices":[{"delta":{"reasoning_content":"\\"x\\"\\n"}}]}\n\n'


def test_other_streams_are_told_of_the_loading_where_nobody_reads() -> None:
    """On one line, whatever the text; dots are for eyes only."""
    for say in (openai.loading("/v1/completions"), responses.loading("/v1/responses")):
        assert say is not None
        assert say("\nQueue position:\r\n#1 ") == b": Queue position: #1\n\n"
        assert say(" \n") == b": \n\n"
        assert say(".") == say("\n") == b""


def test_messages_get_pings_and_no_words() -> None:
    say = anthropic.loading("/v1/messages")
    assert say is not None
    assert say("\nQueue position: #1 ") == b'event: ping\ndata: {"type":"ping"}\n\n'
    assert say(".") == b""
    assert anthropic.loading("/v1/messages/count_tokens") is None
    assert openai.loading("/v1/embeddings") is None
