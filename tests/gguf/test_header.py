"""A header is read as PyPI's `gguf` reads it, quickly, and whatever is not one ends in a typed error."""

from __future__ import annotations

import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.gguf.cursor import LEAP_FROM
from llamaswap_py.gguf.header import (
    KEPT_NUMBERS,
    KEPT_TEXTS,
    Broken,
    Header,
    HeaderError,
    NotGguf,
    Skipped,
    Truncated,
    read_header,
)
from tests.fakes.tiny_gguf import Tiny, finish, write_header


def header_of(data: bytes) -> Header:
    return read_header(lambda offset, size: data[offset : offset + size])


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def made(*entries: bytes, tensors: tuple[bytes, ...] = (), version: int = 3) -> bytes:
    return b"".join((struct.pack("<4sIQQ", b"GGUF", version, len(tensors), len(entries)), *entries, *tensors))


def entry(key: bytes, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def agree(path: Path) -> Header:
    """Ours and the package's say the same of every entry that is kept, and of every tensor."""
    ours, theirs = header_of(path.read_bytes()), gguf.GGUFReader(path)
    fields = {name: field for name, field in theirs.fields.items() if not name.startswith("GGUF.")}
    assert list(ours.metadata) == list(fields)
    for name, field in fields.items():
        value, wanted = ours.metadata[name], field.contents()
        if isinstance(value, Skipped):
            assert value.length == len(wanted), name
        else:
            assert (list(value) if isinstance(value, tuple) else value) == wanted, name
    assert ours.data_offset == theirs.data_offset
    assert [(each.name, each.shape, each.kind, each.elements) for each in ours.tensors] == [
        (each.name, tuple(each.shape.tolist()), int(each.tensor_type), each.n_elements) for each in theirs.tensors
    ]
    assert [ours.data_offset + each.offset for each in ours.tensors] == [each.data_offset for each in theirs.tensors]
    return ours


@pytest.mark.parametrize("kind", ["chat", "embedding", "reranker"])
def test_a_models_header_is_read_as_the_package_reads_it(tmp_path: Path, kind: str) -> None:
    header = agree(Tiny().write(tmp_path / "tiny.gguf", kind))
    assert header.version == 3
    assert header.metadata["general.name"] == "tiny"
    assert isinstance(header.metadata["tokenizer.ggml.tokens"], Skipped)


def test_every_type_of_value_is_read_as_the_package_reads_it(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(str(tmp_path / "all.gguf"), "llama")
    numbers = {"uint8": 200, "int8": -5, "uint16": 60000, "int16": -300, "uint32": 4 * 10**9, "int32": -(10**9)}
    numbers |= {"uint64": 10**19, "int64": -(10**18)}
    for name, number in numbers.items():
        getattr(writer, f"add_{name}")(f"a.{name}", number)
    writer.add_float32("a.float32", 0.5)
    writer.add_float64("a.float64", 0.1)
    writer.add_bool("a.true", True)
    writer.add_array("a.bools", [True, False])
    writer.add_array("a.ints", [1, 2, 3])
    writer.add_array("a.floats", [0.5, 1.5])
    writer.add_array("a.texts", ["a", "ä", "\n"])
    writer.add_array("a.many", list(range(KEPT_NUMBERS + 1)))
    writer.add_array("a.more", ["x"] * (KEPT_TEXTS + 1))
    writer.add_tensor("t", np.zeros((2, 3, 4), dtype=np.int8))
    finish(writer)
    header = agree(tmp_path / "all.gguf")
    assert header.metadata["a.bools"] == (True, False)
    assert header.metadata["a.true"] is True


def test_a_file_in_the_other_byte_order_is_read(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(str(tmp_path / "big.gguf"), "llama", endianess=gguf.GGUFEndian.BIG)
    writer.add_array("tokenizer.ggml.tokens", [f"t{number}" for number in range(LEAP_FROM)])
    writer.add_context_length(77)
    finish(writer)
    assert agree(tmp_path / "big.gguf").metadata["llama.context_length"] == 77


def test_an_alignment_of_ones_own_moves_the_tensors(tmp_path: Path) -> None:
    path = write_header(tmp_path / "a.gguf", "llama", {"general.name": "x"}, ["a", "b"])
    assert agree(path).data_offset % 32 == 0
    writer = gguf.GGUFWriter(str(tmp_path / "b.gguf"), "llama")
    writer.add_custom_alignment(1024)
    writer.add_tensor("a", np.zeros(3, dtype=np.float32))
    finish(writer)
    assert agree(tmp_path / "b.gguf").data_offset == 1024


def with_vocabulary(count: int) -> bytes:
    """Tokens, types, scores and merges, and one key behind them."""
    tokens = b"".join(text(b"t%d" % number + b"x" * (number % 8)) for number in range(count))
    merges = b"".join(text(b"a%d b%d" % (number, number)) for number in range(count))
    return made(
        entry(b"tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, count) + tokens),
        entry(b"tokenizer.ggml.token_type", 9, struct.pack("<IQ", 5, count) + bytes(4 * count)),
        entry(b"tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, count) + bytes(4 * count)),
        entry(b"tokenizer.ggml.merges", 9, struct.pack("<IQ", 8, count) + merges),
        entry(b"tokenizer.ggml.bos_token_id", 4, struct.pack("<I", 9)),
    )


def test_a_vocabulary_of_250_000_tokens_is_passed_well_under_50_ms() -> None:
    """Counted in this process's own time, so that a busy machine does not matter; the best of three."""
    data = with_vocabulary(250_000)
    spent = []
    for _ in range(3):
        before = time.process_time()
        header = header_of(data)
        spent.append(time.process_time() - before)
        assert header.metadata["tokenizer.ggml.merges"] == Skipped(250_000)
        assert header.metadata["tokenizer.ggml.bos_token_id"] == 9
    assert min(spent) < 0.030


TRAP = text(b"tokenizer.ggml.x") + text(b"abcd")  # a token that looks like a key, and what would be its type and value


@pytest.mark.parametrize("tensors", [(), (text(b"t") + struct.pack("<IQIQ", 1, 8, 0, 0),)])
def test_a_token_that_looks_like_a_key_does_not_mislead(tensors: tuple[bytes, ...]) -> None:
    """The trap lies where a key is looked for: behind the least that so many texts can take."""
    tokens = [text(b"x" * 9)] * LEAP_FROM + [TRAP] + [text(b"y" * 9)] * LEAP_FROM
    count = LEAP_FROM * 2 + 2  # the trap is two
    array = struct.pack("<IQ", 8, count) + b"".join(tokens)
    bos = entry(b"tokenizer.ggml.bos", 4, struct.pack("<I", 9))
    header = header_of(made(entry(b"tokens", 9, array), bos, tensors=tensors))
    assert header.metadata == {"tokens": Skipped(count), "tokenizer.ggml.bos": 9}
    assert len(header.tensors) == len(tensors)


def test_something_else_is_no_gguf() -> None:
    for data in (b"<!doctype html><html>", b"PK\x03\x04", b"GG!"):
        with pytest.raises(NotGguf, match="begins with"):
            header_of(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (made(version=1), "version 1"),
        (made(version=9), "version 9"),
        (made(entry(b"a", 4, b"1234"), entry(b"a", 4, b"1234")), "'a' is given twice"),
        (made(entry(b"a", 13, b"")), "unknown type 13"),
        (made(entry(b"a", 9, struct.pack("<IQ", 9, 1))), "unknown type 9"),
        (made(entry(b"a", 9, struct.pack("<IQ", 4, 2**62))), "no header has"),
        (made(entry(b"general.alignment", 4, struct.pack("<I", 3))), "alignment is 3"),
        (made(entry(b"general.alignment", 4, struct.pack("<I", 0))), "alignment is 0"),
        (made(entry(b"general.alignment", 4, struct.pack("<I", 2**31))), "alignment is"),
        (made(entry(b"general.alignment", 8, text(b"much"))), "alignment is 'much'"),
        (made(tensors=(text(b"t") + struct.pack("<I", 5),)), "'t' has 5 dimensions"),
    ],
)
def test_nonsense_is_told_in_a_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(Broken, match=reason):
        header_of(data)


def test_every_cut_is_told_as_truncated(tmp_path: Path) -> None:
    path = write_header(
        tmp_path / "a.gguf", "llama", {"a": 1, "b": "text", "c": [1, 2], "d": ["x"] * 99}, ["one", "two"]
    )
    data = path.read_bytes()
    end = header_of(data).data_offset
    padding = len(data[:end]) - len(data[:end].rstrip(b"\0"))
    for size in range(end - padding - 8):  # the last tensor's offset ends in zeros too
        with pytest.raises(Truncated):
            header_of(data[:size])


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    entries: dict[str, Any] = {"a": 1, "b": "text", "c": [1, 2], "d": ["x"] * 99, "e": 0.5, "f": True}
    return write_header(tmp_path_factory.mktemp("sample") / "a.gguf", "llama", entries, ["one"]).read_bytes()


@given(st.data())
def test_whatever_is_broken_in_a_file_ends_in_a_typed_error_or_a_header(sample: bytes, data: st.DataObject) -> None:
    changed = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
        changed = changed or bytearray(b"G")
    outcome(bytes(changed))


@given(st.binary(max_size=200))
def test_whatever_follows_the_magic_ends_in_a_typed_error_or_a_header(rest: bytes) -> None:
    outcome(b"GGUF\x03\0\0\0" + rest)
    outcome(b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0" + rest)


def outcome(data: bytes) -> None:
    with suppress(HeaderError):
        assert isinstance(header_of(data), Header)
