"""Request bodies: looked at, and given another model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.errors import BadRequest
from llamaswap_py.wire.body import Looked, look, with_model

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("body", "looked"),
    [
        (b'{"model":"a"}', Looked("a", False)),
        (b' {"stream" : true , "model" : "a" } ', Looked("a", True)),
        (b'{"model":"\\u00e9/b"}', Looked("é/b", False)),
        (b'{"model":"a","model":"b"}', Looked("b", False)),
        (b'{"model":70}', Looked("70", False)),
        (b'{"model":-1.50}', Looked("-1.50", False)),
        (b'{"model":null}', Looked(None, False)),
        (b'{"model":""}', Looked(None, False)),
        (b'{"stream":false,"options":{"model":"inner","stream":true}}', Looked(None, False)),
        (b'{"stream":"true"}', Looked(None, False)),
    ],
)
def test_the_model_and_the_wish_for_a_stream_are_found(body: bytes, looked: Looked) -> None:
    assert look(body) == looked


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not valid JSON"),
        (b'{"model":"a"', "not valid JSON"),
        (b'{"model":tru}', "byte 10"),
        (b'{"model":"a"} x', "byte 15"),
        (b"[1]", "must be a JSON object"),
        (b'"model"', "must be a JSON object"),
        (b'{"model":"\xff"}', "not UTF-8"),
        (b'{"x":' + b"[" * 100_000, "nested too deeply"),
        (b'{"model":true}', "`model` must be a string"),
        (b'{"model":{"a":1}}', "`model` must be a string"),
        (b'{"model":["a"]}', "`model` must be a string"),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_with_the_place(body: bytes, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        look(body)


def test_only_the_model_changes() -> None:
    body = b'{ "a": 1.50e2 , "model": "x", "b" : [ 1,2 ] , "c":"\\u00e9" }'
    assert with_model(body, "y") == b'{"a":1.50e2,"model":"y","b":[ 1,2 ],"c":"\\u00e9"}'


def test_a_model_said_twice_is_said_once_afterwards_and_a_missing_one_is_added() -> None:
    assert with_model(b'{"model":"a","x":1,"model":"b"}', "c") == b'{"model":"c","x":1}'
    assert with_model(b"{}", 'c"\n') == b'{"model":"c\\"\\n"}'


def test_a_broken_body_cannot_be_given_a_model() -> None:
    with pytest.raises(BadRequest):
        with_model(b"{", "a")


@given(st.dictionaries(st.text(), VALUES, max_size=6), st.text(min_size=1))
def test_every_other_value_stays_as_it_was(keys: dict[str, Any], name: str) -> None:
    after = json.loads(with_model(json.dumps(keys).encode(), name))
    assert after == {**keys, "model": name}
    assert look(json.dumps(after).encode()).model == name
