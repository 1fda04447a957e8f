"""A multipart form in every chunking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.wire.multipart import HEAD_LIMIT, PADDING_LIMIT, VALUE_LIMIT, Field, Reader, Splice, boundary_of

MARK = b"--b0und"
WANTED = frozenset({"model", "stream"})


def part(name: str, value: bytes, more: str = "", *lines: str) -> bytes:
    head = "\r\n".join((f'Content-Disposition: form-data; name="{name}"{more}', *lines))
    return MARK + b"\r\n" + head.encode() + b"\r\n\r\n" + value + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + MARK + b"--\r\n"


def read(pieces: list[bytes]) -> Reader:
    reader = Reader(b"b0und", WANTED)
    for piece in pieces:
        reader.feed(piece)
    return reader


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


FILE = part("file", b"\x00\r\n--b0un\r\n--b0undary\r\nmodel\r\n\r\n" * 3, '; filename="a; name=\\"model\\".wav"')
FORMS = {
    "model last": form(FILE, part("model", b"tiny")),
    "model first": form(part("model", b"tiny"), FILE),
    "with types": form(part("model", b"tiny", "", "Content-Type: text/plain"), FILE),
    "said twice": form(part("model", b"tiny"), part("model", b"other")),
    "unquoted": form(part("model", b"tiny").replace(b'"model"', b"model")),
    "shouted": form(part("model", b"tiny").replace(b"Content-Disposition", b"CONTENT-DISPOSITION")),
    "padded": form(FILE, part("model", b"tiny").replace(b"b0und\r", b"b0und \t\r")),
    "a text before": b"This is a form.\r\n" + form(part("model", b"tiny")),
    "a head without fields": MARK + b"\r\n\r\nnothing\r\n" + form(part("model", b"tiny")),
    "a head without a name": MARK + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + form(part("model", b"tiny")),
    "what follows the end": form(part("model", b"tiny")) + part("model", b"not this"),
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS)
def test_the_model_and_its_place_are_found_in_every_chunking(data: bytes) -> None:
    for size in range(1, len(data) + 1):
        reader = read(cut(data, size))
        found = reader.fields["model"]
        assert (found.value, reader.done, reader.fault) == ("tiny", True, "")
        assert data[found.start : found.end] == b"tiny"


def test_a_value_that_only_begins_like_a_boundary_is_kept_whole() -> None:
    value = b"a\r\n--b0un\r\n--b0undb\r\n--b0und-\r\n--b0und\rc"
    data = form(part("model", value))
    for size in range(1, len(data) + 1):
        assert read(cut(data, size)).fields["model"].value.encode() == value


def test_names_of_other_parts_are_passed_over() -> None:
    reader = read([form(part("prompt", b"x"), FILE, part("stream", b"true"), part("model", b"", '; filename*="m"'))])
    assert {name: field.value for name, field in reader.fields.items()} == {"stream": "true"}
    assert reader.done


def test_the_model_is_known_before_the_rest_has_come() -> None:
    reader = Reader(b"b0und", WANTED)
    reader.feed(part("model", b"tiny") + MARK + b"\r\n")
    assert reader.fields["model"].value == "tiny"
    assert not reader.done


def test_a_form_that_never_ends_names_nothing() -> None:
    reader = read([part("model", b"tiny")[:-2]])
    assert (reader.fields, reader.done, reader.fault) == ({}, False, "")


@pytest.mark.parametrize("size", [1000, 10_000_000])
def test_what_could_fill_the_memory_is_a_fault(size: int) -> None:
    long_head = MARK + b"\r\nX: " + b"x" * HEAD_LIMIT
    assert "head" in read(cut(long_head, size)).fault
    assert "head" in read(cut(long_head + b"\r\n\r\n", size)).fault
    long_value = part("model", b"x" * (VALUE_LIMIT + 1)) + MARK + b"--"
    reader = read(cut(long_value, size))
    assert "model" in reader.fault
    assert not reader.fields
    padded = MARK + b" " * (PADDING_LIMIT + 1)
    assert not read(cut(padded, size)).fault


def test_big_files_are_not_held() -> None:
    reader = Reader(b"b0und", WANTED)
    reader.feed(FILE[:-2])
    for _ in range(100):
        reader.feed(b"x" * 100_000)
        assert len(reader._kept) < len(MARK) + 2  # noqa: SLF001 - the promise is about what is inside


@pytest.mark.parametrize(
    ("declared", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('multipart/form-data; charset=utf-8; Boundary="a b"', b"a b"),
        ("multipart/form-data; boundary=abc; x=y", b"abc"),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        (f"multipart/form-data; boundary={'x' * 71}; y=z", b"x" * 70),
    ],
)
def test_the_boundary_is_read_from_the_content_type(declared: str, boundary: bytes | None) -> None:
    assert boundary_of(declared) == boundary


@given(st.binary(max_size=30), st.data())
def test_a_splice_changes_its_place_and_nothing_else(data: bytes, draw: st.DataObject) -> None:
    """In every chunking, also where nothing is taken away."""
    data += b"--"  # something always follows a value
    start = draw.draw(st.integers(0, len(data) - 1))
    end = draw.draw(st.integers(start, len(data) - 1))
    new = draw.draw(st.binary(max_size=4))
    size = draw.draw(st.integers(1, len(data)))
    splice = Splice(start, end, new)
    assert b"".join(splice.feed(piece) for piece in cut(data, size)) == data[:start] + new + data[end:]
    assert splice.growth == len(new) - (end - start)


def test_a_field_says_where_its_value_stands() -> None:
    data = form(part("model", b"tiny"))
    assert read([data]).fields["model"] == Field("tiny", data.index(b"tiny"), data.index(b"tiny") + 4)
