"""What is held of an answer, and when it can be read as it was framed."""

from __future__ import annotations

import pytest

from llamaswap_py.observe.heard import Heard
from llamaswap_py.wire.chunks import LAST_CHUNK, chunk
from llamaswap_py.wire.headers import Head
from llamaswap_py.wire.usage import usage_of
from llamaswap_py.wire.window import LAST, NEAR_END, NEAR_START, Body

CHAT = "/v1/chat/completions"
STREAM = "text/event-stream"
WORD = b"data: word\n\n"
EVENT = b'data: {"usage": {"prompt_tokens": 3, "completion_tokens": 4}}\n\n'


EVENTS = b"Content-Type: text/event-stream"
HELD = 256 * 1024


def heard_of(body: bytes, chunked: bool = True, fields: tuple[bytes, ...] = (EVENTS,)) -> Heard:
    heard = Heard(1 << 30)
    heard.head(Head((1, 1), 200, b"", fields), chunked)
    heard.body(body)
    return heard


@pytest.mark.parametrize("size", [7, 30, len(EVENT)])
def test_usage_is_found_wherever_the_servers_chunks_end(size: int) -> None:
    """Chunks that cut events pass as they are where they came together: then the framing must go first."""
    heard = heard_of(b"".join(chunk(EVENT[at : at + size]) for at in range(0, len(EVENT), size)) + LAST_CHUNK)
    framed = heard.read_framed()
    assert (framed is not None) == (size == len(EVENT))
    usage = usage_of(CHAT, STREAM, framed or heard.read())
    assert (usage.input, usage.output) == (3, 4)


def test_an_answer_without_chunks_has_no_framing() -> None:
    heard = heard_of(EVENT, chunked=False)
    assert heard.read_framed() is None
    assert heard.read() == Body(EVENT)


def test_of_a_long_stream_in_large_pieces_the_ends_are_enough() -> None:
    """What lies between is neither copied nor read."""
    heard = heard_of(chunk(EVENT))
    for _ in range(20):
        heard.body(chunk(WORD) * 1000)
    heard.body(chunk(EVENT) + LAST_CHUNK)
    ends = heard.read_ends()
    assert ends is not None
    assert (len(ends.first), len(ends.last)) == (NEAR_START, NEAR_END)
    usage = usage_of(CHAT, STREAM, ends)
    assert (usage.input, usage.output) == (3, 4)


@pytest.mark.parametrize(
    ("piece", "pieces"),
    [
        (chunk(b"data: word\n\n"), 10_000),
        (chunk(b"data: word\n\n") * 1000, 1),
        (b"".join(map(chunk, [b"x"] * 9999)), 20),
    ],
    ids=["small pieces", "not long", "chunks that are no events"],
)
def test_of_other_streams_the_ends_are_not_enough(piece: bytes, pieces: int) -> None:
    heard = heard_of(piece)
    for _ in range(pieces):
        heard.body(piece)
    assert heard.read_ends() is None


def completed(size: int) -> bytes:
    answer = b'"output":"%b","usage":{"input_tokens":3,"output_tokens":4}' % (b"z" * size)
    return b'data: {"type":"response.completed","response":{%b}}\n\n' % answer


CREATED = b'data: {"type":"response.created","response":{"instructions":"%b"}}\n\n' % (b"i" * 6000)
DONE = chunk(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ([chunk(CREATED), *[chunk(WORD)] * 9000], [chunk(completed(3000)), LAST_CHUNK]),
        ([chunk(CREATED), *[chunk(WORD)] * 9000, chunk(completed(40_000))], [LAST_CHUNK]),
        ([*[chunk(WORD)] * 9000, chunk(completed(40_000)) + DONE], [LAST_CHUNK]),
        ([chunk(WORD * 6000)] * 3, [chunk(WORD * 6000 + completed(10)) + LAST_CHUNK]),
        ([chunk(WORD)] * 9000, [chunk(completed(10)) + DONE + LAST_CHUNK]),
    ],
    ids=["said behind it", "said before it", "in one read", "many events in a chunk", "all at the end"],
)
def test_a_stream_that_stood_still_tells_its_usage(before: list[bytes], behind: list[bytes]) -> None:
    heard = heard_of(b"")
    for piece in before:
        heard.body(piece)
    assert heard.slim(HELD) > 0
    for piece in behind:
        heard.body(piece)
    assert heard.size == sum(map(len, before + behind))
    usage = usage_of("/v1/responses", STREAM, heard.read_ends() or heard.read_framed() or heard.read())
    assert (usage.input, usage.output) == (3, 4)


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ((EVENTS, b"Content-Encoding: gzip"), True),
        ((b"Content-Type: application/json", b"Content-Encoding: gzip"), True),
        ((b"Content-Type: application/json",), False),
    ],
)
def test_what_cannot_be_read_in_part_stays_whole_while_it_stands_still(fields: tuple[bytes, ...], held: bool) -> None:
    """A long one that can be, and is no stream of events, is cut beyond what is held of any."""
    heard = heard_of(b"x" * HELD, False, fields)
    assert heard.slim(HELD) == 0
    heard.body(b"y" * HELD)
    assert (heard.slim(HELD) == 0) is held
    assert heard.read().whole is held
    assert heard.read().last == (b"" if held else b"y" * LAST)
