"""Request bodies, looked at."""

from __future__ import annotations

import pytest

from llamaswap_py.errors import BadRequest
from llamaswap_py.wire.body import Looked, look


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
