"""The framing between proxy and keeper."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.keeper.messages import LONGEST, Reader, encode

WORDS = st.text(st.characters(codec=None, exclude_categories=[]), max_size=20)
MESSAGES = st.lists(st.dictionaries(WORDS, st.one_of(st.integers(), st.none(), WORDS, st.lists(WORDS)), max_size=4))


@given(MESSAGES, st.data())
def test_messages_arrive_whole_however_cut(messages: list[dict[str, object]], data: st.DataObject) -> None:
    """Any messages, cut anywhere, come out as they went in; lone surrogates too."""
    stream = b"".join(encode(message) for message in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    reader = Reader()
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[begin:end])
    assert found == messages


def test_byte_by_byte() -> None:
    """One byte at a time gives each message exactly when its last byte is here."""
    stream = encode({"a": 1}) + encode({"b": "ü\udcff"})
    reader = Reader()
    found = [message for byte in stream for message in reader.feed(bytes([byte]))]
    assert found == [{"a": 1}, {"b": "ü\udcff"}]


def test_an_absurd_length_is_refused() -> None:
    """A stream out of step is an error, not a wait for gigabytes."""
    with pytest.raises(ValueError, match="longer than any we send"):
        Reader().feed((LONGEST + 1).to_bytes(4, "big"))
