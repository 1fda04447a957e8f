"""Bodies changed by paths: what is asked for changes, every other byte stays."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.errors import BadRequest
from llamaswap_py.wire.edit import edited, encode, steps


def stripped(body: str, *paths: str) -> str:
    return edited(body.encode(), None, paths, ()).decode()


def with_set(body: str, path: str, value: object) -> str:
    return edited(body.encode(), None, (), [(path, value)]).decode()


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("a", ["a"]),
        ("a.b.c", ["a", "b", "c"]),
        (r"a\.b.c", ["a.b", "c"]),
        (r"a\\.b", ["a\\", "b"]),
        ("a.", ["a", ""]),
        ("a\\", ["a"]),
        ("a*?#|@", ["a*?#|@"]),
    ],
)
def test_dots_go_down_and_a_backslash_takes_the_next_sign(path: str, names: list[str]) -> None:
    assert [step.name for step in steps(path)] == names


def test_a_number_counts_places_unless_a_colon_says_that_it_is_a_name() -> None:
    assert [(step.name, step.number) for step in steps("0.-1.:7.x.99999.²")] == [
        ("0", 0),
        ("-1", -1),
        ("7", None),
        ("x", None),
        ("99999", None),
        ("²", None),
    ]


@pytest.mark.parametrize(
    ("body", "path", "left"),
    [
        ('{"a":1,"b":2}', "a", '{"b":2}'),
        ('{ "a" : 1 , "b" : 2 }', "b", '{ "a" : 1 }'),
        ('{"a":1}', "a", "{}"),
        ('{"a":1}', "x", '{"a":1}'),
        ('{"a":{"b":[1,{"c":2}]}}', "a.b.1.c", '{"a":{"b":[1,{}]}}'),
        ('{"a":[1, 2, 3]}', "a.1", '{"a":[1, 3]}'),
        ('{"a":[1,2,3]}', "a.-1", '{"a":[1,2]}'),
        ('{"a":[1]}', "a.5", '{"a":[1]}'),
        ('{"a":[1]}', "a.x", '{"a":[1]}'),
        ('{"a":[]}', "a.-1", '{"a":[]}'),
        ('{"a":5}', "a.b", '{"a":5}'),
        ('{"a":1,"\\u0061":2,"b":3}', "a", '{"b":3}'),  # however it is spelled, and as often as it stands there
        ('{"0":1}', "0", "{}"),
        (' {"a":"}\\"]","b":1} \n', "b", ' {"a":"}\\"]"} \n'),
    ],
)
def test_what_is_stripped_is_gone_and_nothing_else_moves(body: str, path: str, left: str) -> None:
    assert stripped(body, path) == left


@pytest.mark.parametrize(
    ("body", "path", "made"),
    [
        ('{"a" : 1 ,"b":2}', "a", '{"a" : 9 ,"b":2}'),
        ('{"b":2}', "a", '{"b":2,"a":9}'),
        ("{ }", "a", '{"a":9}'),
        ("", "a", '{"a":9}'),
        ("{}", "a.b", '{"a":{"b":9}}'),
        ('{"a":{"x":1}}', "a.b.c", '{"a":{"x":1,"b":{"c":9}}}'),
        ('{"a":5}', "a.b", '{"a":{"b":9}}'),
        ('{"a":[1,2]}', "a.0", '{"a":[9,2]}'),
        ('{"a":[1,2]}', "a.-1", '{"a":[1,2,9]}'),
        ('{"a":[1]}', "a.3", '{"a":[1,null,null,9]}'),
        ('{"a":[[1]]}', "a.0.-1", '{"a":[[1,9]]}'),
        ("{}", "a.1", '{"a":[null,9]}'),
        ("{}", "a.-1.b", '{"a":[{"b":9}]}'),
        ("{}", "a.:1", '{"a":{"1":9}}'),
        ('{"a":{"1":2}}', "a.1", '{"a":{"1":9}}'),
        ('{"a":1,"a":2}', "a", '{"a":9,"a":9}'),
        ("{}", "0", '{"0":9}'),
    ],
)
def test_what_is_set_is_there_and_missing_parents_are_made(body: str, path: str, made: str) -> None:
    assert with_set(body, path, 9) == made


def test_the_model_the_stripped_and_the_set_come_in_this_order() -> None:
    body = b'{"model":"m","temperature":1,"x":2}'
    found = edited(body, "other", ["temperature", "x"], [("x", 1), ("x", {"y": True})])
    assert found == b'{"model":"other","x":{"y":true}}'
    assert edited(b"{}", 'a"b', (), ()) == b'{"model":"a\\"b"}'


@pytest.mark.parametrize("body", ["[1]", "5", '"x"', " null"])
def test_only_an_object_can_be_changed(body: str) -> None:
    with pytest.raises(BadRequest, match="must be a JSON object"):
        stripped(body, "a")


@pytest.mark.parametrize("body", ['{"a":1', '{"a":[1', '{"a":{"b":"}'])
def test_a_body_that_ends_too_early_is_told(body: str) -> None:
    with pytest.raises(BadRequest, match="ends too early"):
        stripped(body, "a")


@pytest.mark.parametrize("path", ["a.x", "a.99999"])
def test_a_list_has_numbered_places_only(path: str) -> None:
    with pytest.raises(BadRequest, match="a list's places are numbers"):
        with_set('{"a":[]}', path, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.7, "0.7"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (True, "true"),
        (None, "null"),
        ("é\ud800", '"\\u00e9\\ud800"'),
        ((1, [2], {"a": ()}), '[1,[2],{"a":[]}]'),
        (12345678901234567890, "12345678901234567890"),
    ],
)
def test_values_are_written_as_llama_swap_writes_them(value: object, text: str) -> None:
    assert encode(value).decode() == text


NUMBERS = st.sampled_from(["0", "-1", "1.10", "1E400", "12345678901234567890123", "0.1e-2"])
TEXTS = st.text(alphabet='ab"\\{}[],: é\n', max_size=4).map(json.dumps)
SPACES = st.text(alphabet=" \n\t", max_size=2)
KEYS = st.sampled_from(["a", "b", "c", "0", "1", "x.y"])


@st.composite
def documents(draw: st.DrawFn, depth: int = 3) -> str:
    """JSON with odd spacing, odd numbers, and brackets in texts."""
    kind = draw(st.sampled_from(["object", "list", "number", "text", "word"])) if depth < 3 else "object"
    if depth == 0 or kind in ("number", "text", "word"):
        return draw({"number": NUMBERS, "text": TEXTS}.get(kind, st.sampled_from(["true", "false", "null"])))
    parts = draw(st.lists(documents(depth - 1), max_size=3))
    before, after = draw(SPACES), draw(SPACES)
    if kind == "list":
        return "[" + ",".join(f"{before}{part}{after}" for part in parts) + "]"
    names = draw(st.lists(KEYS, min_size=len(parts), max_size=len(parts), unique=True))
    pairs = zip(names, parts, strict=True)
    return "{" + ",".join(f"{before}{json.dumps(name)}{after}:{before}{part}{after}" for name, part in pairs) + "}"


PATHS = st.lists(st.sampled_from(["a", "b", "c", "0", "1", "-1", r"x\.y"]), min_size=1, max_size=3).map(".".join)


class Number(str):
    """A number as it is spelled."""

    __slots__ = ()


def understood(text: str | bytes) -> Any:
    return json.loads(text, parse_int=Number, parse_float=Number)


def without(value: Any, names: list[str]) -> Any:
    """What stripping should leave, told by values alone."""
    name, *rest = names
    if isinstance(value, dict) and name in value:
        if not rest:
            return {key: each for key, each in value.items() if key != name}
        return {key: without(each, rest) if key == name else each for key, each in value.items()}
    if isinstance(value, list) and (name.isdigit() or (name == "-1" and not rest)):
        place = int(name) if name != "-1" else len(value) - 1
        if 0 <= place < len(value):
            inner = [without(value[place], rest)] if rest else []
            return [*value[:place], *inner, *value[place + 1 :]]
    return value


def having(value: Any, names: list[str], new: object) -> Any:
    """What setting should make; None where it is refused."""
    if not names:
        return new
    name, *rest = names
    if isinstance(value, list):
        place = len(value) if name == "-1" else int(name)
        filled = [*value, *[None] * (place + 1 - len(value))]
        filled[place] = having(filled[place], rest, new)
        return filled
    if isinstance(value, dict):
        return {**value, name: having(value.get(name, MISSING), rest, new)}
    return having([] if name.isdigit() or name == "-1" else {}, names, new)


MISSING = object()


def named(path: str) -> list[str]:
    return [step.name for step in steps(path)]


@given(documents(), PATHS)
def test_stripping_any_path_of_any_body_takes_out_that_and_nothing_else(body: str, path: str) -> None:
    found = edited(body.encode(), None, [path], ())
    assert understood(found) == without(understood(body), named(path))
    assert_untouched(body, found, path)


@given(documents(), PATHS)
def test_setting_any_path_of_any_body_sets_that_and_nothing_else(body: str, path: str) -> None:
    try:
        wanted = having(understood(body), named(path), "new")
    except ValueError:  # a name where there is a list
        with pytest.raises(BadRequest):
            with_set(body, path, "new")
        return
    found = edited(body.encode(), None, (), [(path, "new")])
    assert understood(found) == wanted
    assert_untouched(body, found, path)


def assert_untouched(body: str, found: bytes, path: str) -> None:
    """Every other top-level key stands where it stood, with its bytes."""
    raw = msgspec.json.Decoder(dict[str, msgspec.Raw])
    before, after = raw.decode(body), raw.decode(found)
    touched = named(path)[0]
    kept = [name for name in before if name != touched]
    assert [name for name in after if name != touched] == kept
    assert all(bytes(before[name]) == bytes(after[name]) for name in kept)


@given(documents())
def test_a_body_in_which_nothing_is_changed_is_the_same_bytes(body: str) -> None:
    assert edited(body.encode(), None, ["nothing.here", "-7"], ()) == body.encode()
