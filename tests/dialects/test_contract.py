"""Every dialect in the folder keeps the same promises; a new file is tested by being there."""

from __future__ import annotations

import json
import pkgutil
from importlib import import_module

import pytest

from llamaswap_py import dialects, errors
from llamaswap_py.dialects.dialect import Dialect, Infer, Parts
from llamaswap_py.errors import BadRequest, MissingModel, Refusal, TooManyRequests, UnsupportedMedia

MODULES = [import_module(f"{dialects.__name__}.{found.name}") for found in pkgutil.iter_modules(dialects.__path__)]
DIALECTS: list[Dialect] = [module.DIALECT for module in MODULES if hasattr(module, "DIALECT")]
REFUSALS = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Refusal)),
    key=lambda kind: kind.__name__,
)

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


def parts(body: bytes, content_type: str = "application/json", encoding: str = "") -> Parts:
    return Parts("/some/path", content_type, encoding, body)


def test_the_folder_is_the_list_of_names() -> None:
    assert sorted(dialect.name for dialect in DIALECTS) == [
        "anthropic",
        "audio",
        "images",
        "llamacpp",
        "openai",
        "responses",
    ]


def test_no_route_belongs_to_two_dialects() -> None:
    routes = [(route.method, route.path) for dialect in DIALECTS for route in dialect.routes]
    assert len(routes) == len(set(routes))


@each_dialect
def test_a_route_is_a_get_or_a_post_between_absolute_paths(dialect: Dialect) -> None:
    for route in dialect.routes:
        assert route.method in ("GET", "POST")
        assert route.path.startswith("/")
        assert not route.upstream or (route.upstream.startswith("/") and route.upstream != route.path)


@each_dialect
def test_a_get_names_its_model_in_the_query(dialect: Dialect) -> None:
    asked = Parts("/some/path", "", "", b"", "GET", "a=b&model=x%2Fy+z&stream=true")
    assert dialect.read(asked) == Infer("x/y z", True)
    with pytest.raises(MissingModel, match="model="):
        dialect.read(Parts("/some/path", "", "", b"", "GET"))


@each_dialect
def test_a_form_names_its_model_in_a_field_and_the_body_comes_before_the_query(dialect: Dialect) -> None:
    kind = "application/x-www-form-urlencoded"
    assert dialect.read(Parts("/p", kind, "", b"model=a&stream=true", query="model=b")) == Infer("a", True)
    assert dialect.read(Parts("/p", kind, "", b"x=y", query="model=b")) == Infer("b", False)
    with pytest.raises(MissingModel, match="form field"):
        dialect.read(Parts("/p", kind, "", b"x=y"))


@each_dialect
def test_json_under_the_content_type_that_curl_sends_by_itself_is_told_what_to_do(dialect: Dialect) -> None:
    with pytest.raises(UnsupportedMedia, match="Content-Type: application/json"):
        dialect.read(parts(b' {"model": "m"}', "application/x-www-form-urlencoded"))


@each_dialect
def test_of_a_multipart_form_the_query_comes_before_the_field(dialect: Dialect) -> None:
    fields = {"model": "a", "stream": "true"}
    assert dialect.read(Parts("/p", "multipart/form-data", "", b"", fields=fields)) == Infer("a", True)
    both = Parts("/p", "multipart/form-data", "", b"", query="model=b", fields=fields)
    assert dialect.read(both) == Infer("b", True)
    with pytest.raises(MissingModel, match="form field"):
        dialect.read(Parts("/p", "multipart/form-data", "", b""))


@each_dialect
def test_a_body_that_is_not_read_may_name_its_model_in_the_query(dialect: Dialect) -> None:
    assert dialect.read(Parts("/p", "audio/wav", "", b"RIFF", query="model=m")) == Infer("m", False)
    assert dialect.read(Parts("/p", "", "", b"", query="model=m")) == Infer("m", False)
    assert dialect.read(Parts("/p", "", "", b"RIFF", query="model=m")) == Infer("m", False)
    with pytest.raises(MissingModel, match="model="):
        dialect.read(Parts("/p", "", "", b""))


@each_dialect
def test_the_model_and_the_stream_switch_are_read_from_the_body(dialect: Dialect) -> None:
    assert dialect.read(parts(b'{"model": "m", "stream": true}')) == Infer("m", True)
    assert dialect.read(parts(b'{"messages": [], "model": "a/b:c"}')) == Infer("a/b:c", False)


@each_dialect
@pytest.mark.parametrize("content_type", ["", "application/json", "application/vnd.api+json"])
def test_json_by_any_usual_name_or_none_is_read(dialect: Dialect, content_type: str) -> None:
    assert dialect.read(parts(b'{"model": "m"}', content_type)).model == "m"


@each_dialect
def test_another_content_type_is_refused_by_name(dialect: Dialect) -> None:
    with pytest.raises(UnsupportedMedia, match="text/csv"):
        dialect.read(parts(b'{"model": "m"}', "text/csv"))


@each_dialect
def test_an_encoded_body_is_refused_by_the_name_of_its_encoding(dialect: Dialect) -> None:
    with pytest.raises(UnsupportedMedia, match="br"):
        dialect.read(parts(b"...", encoding="br"))
    assert dialect.read(parts(b'{"model": "m"}', encoding="identity")).model == "m"


@each_dialect
@pytest.mark.parametrize("body", [b"{}", b'{"model": null}', b'{"model": ""}'])
def test_a_request_without_a_model_is_told_how_to_name_one(dialect: Dialect, body: bytes) -> None:
    with pytest.raises(MissingModel, match="/v1/models"):
        dialect.read(parts(body))


@each_dialect
@pytest.mark.parametrize("body", [b"", b"{", b'{"model": "m"', b"[1]", b"\xff\xfe"])
def test_a_broken_body_is_a_bad_request(dialect: Dialect, body: bytes) -> None:
    with pytest.raises(BadRequest):
        dialect.read(parts(body))


@each_dialect
@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_refusal_becomes_json_with_its_status_and_sentence(dialect: Dialect, kind: type[Refusal]) -> None:
    answer = dialect.refuse(kind("what <happened>\nand what to do"))
    assert answer.status == kind.status
    assert ("Content-Type", "application/json") in answer.headers
    assert json.loads(answer.body)["error"]["message"] == "what <happened>\nand what to do"
    assert json.loads(answer.body)["error"]["type"]


@each_dialect
@pytest.mark.parametrize(("seconds", "shown"), [(0.01, "1"), (1.0, "1"), (7.4, "7")])
def test_retry_after_is_whole_seconds_and_never_zero(dialect: Dialect, seconds: float, shown: str) -> None:
    answer = dialect.refuse(TooManyRequests("busy", retry_after=seconds))
    assert dict(answer.headers)["Retry-After"] == shown


@each_dialect
def test_no_retry_after_where_none_is_known(dialect: Dialect) -> None:
    assert "Retry-After" not in dict(dialect.refuse(TooManyRequests("busy")).headers)


@each_dialect
@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_a_broken_stream_ends_with_one_whole_event(dialect: Dialect, kind: type[Refusal]) -> None:
    event = dialect.broken(kind("it\n\ndied"))
    assert event.endswith(b"\n\n")
    assert event.count(b"\n\n") == 1
    data = [line for line in event.split(b"\n") if line.startswith(b"data: ")]
    assert len(data) == 1
    assert "died" in json.dumps(json.loads(data[0].removeprefix(b"data: ")))


TOLD = ("━━━━━\n", "llama-swap loading model: a/b\n", "\nQueue position: #2 ", ".", "\n", "Done! (1.00s)\n", " \n")


@each_dialect
def test_news_of_the_loading_are_whole_and_carry_no_content(dialect: Dialect) -> None:
    """Comments, pings or thoughts: whatever a client makes of them, the answer's text is not among it."""
    for route in dialect.routes:
        say = dialect.loading(route.path)
        for text in TOLD if say else ():
            event = say(text) if say else b""
            assert event == b"" or event.endswith(b"\n\n")
            assert event.count(b"\n\n") <= 1
            assert b'"content"' not in event


def test_every_streaming_chat_api_tells_of_the_loading() -> None:
    told = {route.path for dialect in DIALECTS for route in dialect.routes if dialect.loading(route.path)}
    chats = {"/chat/completions", "/completions", "/responses", "/messages"}
    assert told == {f"/v1{path}" for path in chats} | {f"/v{path}" for path in chats}
