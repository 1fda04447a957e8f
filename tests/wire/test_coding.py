"""Compressed bodies."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.errors import BadRequest, BodyTooLarge
from llamaswap_py.wire.coding import PIECE, inflated

LIMIT = 1000


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


Pack = Callable[[bytes], bytes]
PACKERS: dict[str, Pack] = {"gzip": gzip.compress, "deflate": zlib.compress, "deflate without a head": bare}
each_packer = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


@each_packer
@given(data=st.binary(max_size=LIMIT))
def test_what_was_packed_comes_out(pack: Pack, data: bytes) -> None:
    assert inflated(pack(data), LIMIT) == data


def test_pieces_behind_each_other_are_one_text() -> None:
    assert inflated(gzip.compress(b"a") + gzip.compress(b"b"), LIMIT) == b"ab"


def test_a_body_of_many_texts_longer_than_a_look() -> None:
    """Wherever a text ends in what is looked at."""
    texts = [bytes([n % 251]) * n for n in range(0, 400, 7)]
    body = b"".join(gzip.compress(text, 0) for text in texts)
    assert len(body) > PIECE
    assert inflated(body, len(body)) == b"".join(texts)


def test_many_empty_texts_cost_no_more_than_their_number() -> None:
    """Half a million would take a quarter of an hour if the rest were copied for each."""
    body = gzip.compress(b"") * 200_000
    began = time.process_time()
    assert inflated(body, LIMIT) == b""
    assert time.process_time() - began < 10


@pytest.mark.fault("S64")
@each_packer
def test_a_bomb_is_stopped_at_the_limit(pack: Pack) -> None:
    assert len(inflated(pack(b" " * LIMIT), LIMIT)) == LIMIT
    for size in (LIMIT + 1, 10_000_000):
        with pytest.raises(BodyTooLarge, match="maxBodySize"):
            inflated(pack(b" " * size), LIMIT)


@each_packer
def test_half_a_body_is_a_bad_request(pack: Pack) -> None:
    with pytest.raises(BadRequest, match="cut off"):
        inflated(pack(b"0123456789" * 10)[:-6], LIMIT)


@pytest.mark.parametrize("data", [b"\x1f\x8bnonsense", b"x\x9cnonsense", b"\xff\xff\xff", b"{"])
def test_what_is_not_compressed_is_a_bad_request(data: bytes) -> None:
    with pytest.raises(BadRequest):
        inflated(data, LIMIT)
