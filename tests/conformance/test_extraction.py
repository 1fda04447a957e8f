"""Section 5.5 and 3.7: where the model's name is found, and what its server is sent."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode

import httpx
import pytest

from tests.conformance.scene import FORM, JSON, Seen, answer, mirror, multipart, seen
from tests.whole.asking import openai_shape
from tests.whole.program import Program, config

LONG_NAME = "org/thing:7b"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    text = config(
        mirror("alpha", aliases="[first, 'the/alpha']"),
        mirror("beta"),
        mirror("'7'"),
        mirror(LONG_NAME),
        mirror("renamed", useModelName="inside"),
    )
    with Program(tmp_path_factory.mktemp("extraction"), text, watch=False) as started:
        yield started


FILE = bytes(range(256)) * 64


def form(*pairs: tuple[str, str]) -> bytes:
    return urlencode(pairs).encode()


# -- JSON

JSON_BODIES = {
    "plain": (b'{"model":"alpha"}', "alpha"),
    "alias": (b'{"model":"first"}', "alpha"),
    "alias with a slash": (b'{"model":"the/alpha"}', "alpha"),
    "id with slash and colon": (b'{"model":"org/thing:7b"}', LONG_NAME),
    "last": (b'{"messages":[{"model":"beta"}],"model":"alpha"}', "alpha"),
    "nested ones do not count": (b'{"x":{"model":"beta"},"model":"alpha"}', "alpha"),
    "escaped": (rb'{"model":"al\u0070ha"}', "alpha"),
    "escaped key": (rb'{"mode\u006c":"alpha"}', "alpha"),
    "white space around": (b' \r\n{"model" :\t"alpha" } \n', "alpha"),
    "number": (b'{"model":7}', "7"),
    "in a text": (b'{"x":"\\"model\\":\\"beta\\"","model":"alpha"}', "alpha"),
}


@pytest.mark.parametrize(("body", "name"), JSON_BODIES.values(), ids=JSON_BODIES)
def test_the_top_level_model_of_a_json_body(ask: httpx.Client, body: bytes, name: str) -> None:
    """Ids and aliases, however they are written; the body goes on byte for byte."""
    met = seen(ask.post("/v1/chat/completions", content=body, headers=JSON))
    assert (met.name, met.body) == (name, body)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/json;charset=UTF-8"])
def test_a_content_type_with_parameters(ask: httpx.Client, kind: str) -> None:
    """It is JSON all the same."""
    assert (
        seen(ask.post("/v1/embeddings", content=b'{"model":"alpha"}', headers={"Content-Type": kind})).name == "alpha"
    )


def test_a_query_names_no_model_beside_json(ask: httpx.Client) -> None:
    """For JSON the body alone counts; the query is passed on."""
    met = seen(ask.post("/v1/embeddings?model=beta&x=1", json={"model": "alpha"}))
    assert (met.name, met.target) == ("alpha", "/v1/embeddings?model=beta&x=1")


def test_a_body_in_chunks(ask: httpx.Client) -> None:
    """Its end is what counts, not a length."""
    pieces = iter([b'{"mod', b'el":"al', b'pha"}'])
    assert seen(ask.post("/v1/embeddings", content=pieces, headers=JSON)).body == b'{"model":"alpha"}'


@pytest.mark.differs("compressed requests")
def test_a_compressed_body(ask: httpx.Client) -> None:
    """llama-swap finds no model in it; here it is read for the name, and passed on as it came."""
    body = gzip.compress(b'{"model":"alpha"}')
    met = seen(ask.post("/v1/embeddings", content=body, headers={**JSON, "Content-Encoding": "gzip"}))
    assert (met.name, met.body, met.header("Content-Encoding")) == ("alpha", body, "gzip")


# -- forms


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/v1/chat/completions"])
def test_a_form_without_files(ask: httpx.Client, path: str) -> None:
    """Any route takes the name from a URL-encoded form; the form goes on as it was."""
    body = form(("x", "1"), ("model", LONG_NAME))
    met = seen(ask.post(path, content=body, headers=FORM))
    assert (met.name, met.body) == (LONG_NAME, body)


def test_a_form_comes_before_the_query(ask: httpx.Client) -> None:
    """Both may name a model; the body is stronger."""
    response = ask.post("/v1/audio/speech?model=beta", content=form(("model", "alpha")), headers=FORM)
    assert seen(response).name == "alpha"


def test_a_form_whose_model_stands_in_the_query(ask: httpx.Client) -> None:
    """It may stand there alone."""
    assert seen(ask.post("/v1/audio/speech?model=alpha", content=b"x=1", headers=FORM)).name == "alpha"


@pytest.mark.parametrize("last", [True, False], ids=["file last", "file first"])
def test_a_multipart_form(ask: httpx.Client, last: bool) -> None:
    """The name's place in the form does not matter; the form goes on byte for byte."""
    body, headers = multipart(("language", b"en"), ("model", b"alpha"), file=FILE, last=last)
    met = seen(ask.post("/v1/audio/transcriptions", content=body, headers=headers))
    assert (met.name, met.body) == ("alpha", body)


def test_the_query_comes_before_a_multipart_form(ask: httpx.Client) -> None:
    """Here it is the other way round than with plain forms."""
    body, headers = multipart(("model", b"beta"), file=FILE)
    assert seen(ask.post("/v1/audio/transcriptions?model=alpha", content=body, headers=headers)).name == "alpha"


def test_a_multipart_form_on_a_json_route(ask: httpx.Client) -> None:
    """The content type decides how the name is found, not the route."""
    body, headers = multipart(("model", b"alpha"))
    assert seen(ask.post("/sdapi/v1/img2img", content=body, headers=headers)).name == "alpha"


# -- the name inside


def told(ask: httpx.Client, content: bytes, headers: dict[str, str], path: str = "/v1/audio/transcriptions") -> Seen:
    met = seen(ask.post(path, content=content, headers=headers))
    assert met.name == "renamed"
    length = met.header("Content-Length")
    assert length is None or int(length) == len(met.body)
    return met


def test_another_name_inside_json(ask: httpx.Client) -> None:
    """`useModelName` takes the place of what the caller wrote, and nothing else changes."""
    met = told(ask, b'{"n": 1.0, "model":"renamed", "x":[ 1 ]}', JSON, "/v1/chat/completions")
    assert met.json == {"n": 1.0, "model": "inside", "x": [1]}


def test_another_name_inside_a_form(ask: httpx.Client) -> None:
    """The other fields stay."""
    met = told(ask, form(("x", "a b&c"), ("model", "renamed")), FORM, "/v1/audio/speech")
    assert parse_qs(met.body.decode()) == {"x": ["a b&c"], "model": ["inside"]}


@pytest.mark.parametrize("last", [True, False], ids=["file last", "file first"])
def test_another_name_inside_a_multipart_form(ask: httpx.Client, last: bool) -> None:
    """The files and the other fields stay, to the byte."""
    body, headers = multipart(("language", b"en"), ("model", b"renamed"), file=FILE, last=last)
    met = told(ask, body, headers)
    assert FILE in met.body
    assert b'name="model"\r\n\r\ninside\r\n' in met.body
    assert b'name="language"\r\n\r\nen\r\n' in met.body
    assert b"renamed" not in met.body


def test_another_name_inside_a_query(ask: httpx.Client) -> None:
    """Of a GET route."""
    met = seen(ask.get("/props?x=1&model=renamed"))
    assert (met.name, parse_qs(met.target.partition("?")[2])) == ("renamed", {"model": ["inside"], "x": ["1"]})


# -- requests without a model

GIF = {"Content-Type": "image/gif"}
MODEL_LESS: dict[str, tuple[bytes, dict[str, str], int]] = {
    "no key": (b'{"messages":[]}', JSON, 400),
    "empty": (b'{"model":""}', JSON, 400),
    "null": (b'{"model":null}', JSON, 400),
    "broken": (b'{"model":"alpha"', JSON, 400),
    "form": (b"x=1", FORM, 400),
    "multipart": (*multipart(("x", b"1")), 400),
    "list": (b'{"model":["alpha"]}', JSON, 400),
    "other type": (b'{"model":"alpha"}', GIF, 415),
}


@pytest.mark.differs("a missing model is 400")
@pytest.mark.parametrize(("body", "headers", "status"), MODEL_LESS.values(), ids=MODEL_LESS)
def test_no_model_can_be_found(ask: httpx.Client, body: bytes, headers: dict[str, str], status: int) -> None:
    """llama-swap answers 404 to all of these; here the caller learns what is wrong with the request."""
    response = ask.post("/v1/chat/completions", content=body, headers=headers)
    assert response.status_code == status
    openai_shape(response)


@pytest.mark.differs("a missing model is 400")
@pytest.mark.parametrize("path", ["/props", "/v1/audio/voices", "/sdapi/v1/loras", "/props?model="])
def test_a_get_without_a_model(ask: httpx.Client, path: str) -> None:
    """The same for a query."""
    response = ask.get(path)
    assert response.status_code == 400
    assert openai_shape(response)[0] == "missing_model"


# -- what the model's server is sent


def test_what_is_added_and_what_is_kept(ask: httpx.Client) -> None:
    """The caller's headers go on, with the address it came from."""
    sent = {"Host": "some.name:1234", "X-Custom": "value", "User-Agent": "me", "X-Forwarded-For": "10.1.2.3"}
    met = seen(ask.post("/v1/embeddings", json={"model": "alpha"}, headers=sent))
    assert met.header("X-Custom") == "value"
    assert met.header("User-Agent") == "me"
    assert met.header("X-Forwarded-For") == "10.1.2.3, 127.0.0.1"
    assert met.header("Host") == "some.name:1234"


def test_what_is_for_the_next_hop_only(ask: httpx.Client) -> None:
    """Hop-by-hop headers stay here, and so does what Connection names."""
    sent = {"Connection": "keep-alive, X-Mine", "X-Mine": "1", "Proxy-Authorization": "x", "TE": "trailers"}
    met = seen(ask.post("/v1/embeddings", json={"model": "alpha"}, headers=sent))
    assert [met.header(name) for name in ("X-Mine", "Proxy-Authorization", "TE", "Keep-Alive")] == [None] * 4


@pytest.mark.parametrize(
    "sent", [{"Authorization": "Bearer childs"}, {"x-api-key": "childs"}], ids=lambda x: next(iter(x))
)
def test_without_keys_of_ours_the_callers_goes_on(ask: httpx.Client, sent: dict[str, str]) -> None:
    """A model's server may want one of its own."""
    met = seen(ask.post("/v1/embeddings", json={"model": "alpha"}, headers=sent))
    assert {name: met.header(name) for name in sent} == sent


def test_an_event_stream_is_not_to_be_held_back(ask: httpx.Client) -> None:
    """Whatever proxy stands in front is told so."""
    headers = answer(type="text/event-stream", pieces=["data: 1\n\n"])
    response = ask.post("/v1/chat/completions", json={"model": "alpha"}, headers=headers)
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.text == "data: 1\n\n"
