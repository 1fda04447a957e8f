"""Captures: bounded, whole, without secrets."""

from __future__ import annotations

import base64
import random

import pytest

from llamaswap_py.observe.captures import (
    COMPRESSED_A_SECOND,
    COMPRESSED_AT_ONCE,
    FEW,
    WORTH_COMPRESSING,
    Asked,
    Capture,
    Captures,
    dense,
    shown,
    size_of,
)
from llamaswap_py.observe.redaction import REDACTED, redacted
from llamaswap_py.wire.headers import Head

ASKED = Asked((("Content-Type", "application/json"), ("Authorization", "Bearer s3cret")), b'{"model":"a"}')
ANSWERED = Head((1, 1), 200, b"OK", (b"Content-Type: text/plain", b"Content-Encoding: gzip", b"Set-Cookie: id=s3cret"))
BARE = Head((1, 1), 200, b"OK", ())
CHAT = "/v1/chat/completions"


def test_a_capture_says_what_was_asked_and_answered() -> None:
    captures = Captures(10_000)
    assert captures.keep(7, dense(CHAT, ASKED, ANSWERED, (b"hello",)))
    assert 7 in captures
    assert captures.find(7) == {
        "id": 7,
        "req_path": CHAT,
        "req_headers": {"Content-Type": "application/json", "Authorization": REDACTED},
        "req_body": base64.b64encode(b'{"model":"a"}').decode(),
        "resp_headers": {"Content-Type": "text/plain", "Set-Cookie": REDACTED},
        "resp_body": base64.b64encode(b"hello").decode(),
    }
    assert captures.find(8) is None


@pytest.mark.parametrize(
    "name",
    ["authorization", "Proxy-Authorization", "COOKIE", "set-cookie", "x-api-key", "api-key", "X-Goog-Api-Key",
     "apikey", "X-Auth-Token", "X-Amz-Security-Token", "x-csrf-token", "Token", "X-Client-Secret"],
)  # fmt: skip
def test_secrets_are_blacked_out_under_every_name(name: str) -> None:
    assert redacted([(name, "s3cret")]) == {name: REDACTED}


def test_of_a_name_the_first_value_is_shown() -> None:
    fields = [("Accept", "a"), ("accept", "b"), ("X-Max-Tokens", "5")]
    assert redacted(fields) == {"Accept": "a", "X-Max-Tokens": "5"}


def test_values_that_are_no_utf_8_become_text() -> None:
    """They reach us as surrogates, which nothing can write down."""
    name = b"M\xfcller \xc3\xbc".decode("utf-8", "surrogateescape")
    assert redacted([("X-Name", name)]) == {"X-Name": "M\ufffdller ü"}


@pytest.mark.parametrize(
    ("path", "asked", "answered"),
    [
        ("/v1/audio/speech", True, False),
        ("/v1/images/generations", True, False),
        ("/sdapi/v1/txt2img", True, False),
        ("/v1/images/edits", False, False),
        ("/sdapi/v1/img2img", False, False),
        ("/v1/audio/transcriptions", False, True),
        ("/v1/audio/voices", False, True),
        (CHAT, True, True),
    ],
)
def test_sound_and_pictures_are_left_out(path: str, asked: bool, answered: bool) -> None:
    capture = shown(Capture(path, ASKED, ANSWERED, b"hello"))
    assert (capture.asked is not None, capture.answered is not None) == (asked, answered)


def test_what_is_not_held_is_not_shown() -> None:
    captures = Captures(10_000)
    captures.keep(1, dense(CHAT, Asked((), None), BARE, ()))
    found = captures.find(1)
    assert found is not None
    assert found["req_body"] is found["resp_body"] is None


def test_a_stream_is_kept_in_its_chunks_and_shown_without() -> None:
    captures = Captures(10_000)
    captures.keep(1, dense(CHAT, ASKED, ANSWERED, (b"6\r\nhello \r\n5\r\nthere\r\n0\r\n\r\n",), framed=True))
    found = captures.find(1)
    assert found is not None
    assert base64.b64decode(found["resp_body"]) == b"hello there"


@pytest.mark.parametrize("size", [5, WORTH_COMPRESSING * 2])
def test_small_and_large_ones_are_shown_alike(size: int) -> None:
    captures = Captures(100_000)
    captures.keep(1, dense(CHAT, ASKED, ANSWERED, (b"x" * size,)))
    assert captures.size < WORTH_COMPRESSING
    found = captures.find(1)
    assert found is not None
    assert base64.b64decode(found["resp_body"]) == b"x" * size
    assert found["resp_headers"] == {"Content-Type": "text/plain", "Set-Cookie": REDACTED}


def test_the_oldest_make_room_and_what_is_too_large_is_not_kept() -> None:
    captures = Captures(50_000)
    noise = random.Random(1).randbytes
    for number in range(1, 11):
        assert captures.keep(number, dense(CHAT, ASKED, BARE, (noise(3 * WORTH_COMPRESSING),)))
    assert captures.size <= 50_000
    assert sum(map(size_of, captures.kept.values())) == captures.size
    assert 10 in captures
    assert 1 not in captures
    assert not captures.keep(11, dense(CHAT, ASKED, BARE, (noise(60_000),)))
    assert 10 in captures
    captures.resize(0)
    assert (captures.size, captures.kept) == (0, {})


def test_what_comes_too_fast_to_be_compressed_is_kept_as_it_came_as_far_as_it_fits() -> None:
    now, text = 0.0, b"word " * (COMPRESSED_AT_ONCE // 15)
    captures = Captures(FEW * len(text), clock=lambda: now)
    sizes = []
    for number in range(1, 5):
        assert captures.keep(number, dense(CHAT, ASKED, BARE, (text,)))
        sizes.append(size_of(captures.kept[number]))
    assert max(sizes[:2]) < len(text) / 10  # there was time for two,
    assert max(sizes[2:]) < len(text) / 10  # and of these not many would fit
    captures = Captures(20 * len(text), clock=lambda: now)
    for number in range(1, 10):
        assert captures.keep(number, dense(CHAT, ASKED, BARE, (text,)))
    assert [size_of(kept) > len(text) for kept in captures.kept.values()] == [False] * 2 + [True] * 7
    found = captures.find(9)
    assert found is not None
    assert base64.b64decode(found["resp_body"]) == text
    now += 2 * len(text) / COMPRESSED_A_SECOND
    captures.keep(10, dense(CHAT, ASKED, BARE, (text,)))
    assert size_of(captures.kept[10]) < len(text) / 10


def test_what_was_kept_in_a_hurry_is_compressed_as_soon_as_there_is_time() -> None:
    text = b"word " * COMPRESSED_AT_ONCE
    captures = Captures(20 * len(text), clock=lambda: 0.0)
    for number, body in enumerate((text, b"small", text + b"2", text + b"3")):
        assert captures.keep(number, dense(CHAT, ASKED, BARE, (body,)))
    shown_before = [captures.find(number) for number in range(4)]
    assert captures.size > 3 * len(text)
    asked = iter((False, True))
    captures.compress(until=lambda: next(asked))
    assert [size_of(kept) > len(text) for kept in captures.kept.values()] == [False, False, True, True]
    captures.compress(until=lambda: False)
    assert captures.size == sum(map(size_of, captures.kept.values())) < len(text)
    assert [captures.find(number) for number in range(4)] == shown_before
    assert list(captures.kept) == [0, 1, 2, 3], "the oldest still goes first"


def test_long_texts_take_little_room() -> None:
    captures = Captures(50_000)
    assert captures.keep(1, dense(CHAT, ASKED, BARE, (b"word " * 20_000,)))
    found = captures.find(1)
    assert found is not None
    assert base64.b64decode(found["resp_body"]) == b"word " * 20_000
