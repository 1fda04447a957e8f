"""One value of each kind: what is taken, what is refused, and the sentence for it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.config.kinds import duration
from llamaswap_py.config.tree import Place, Scalar
from tests.config.reading import config, mistake, mistakes, model, read_loosely, serious, warning, warnings


def setting(text: str) -> Any:
    return config(text)


def in_model(field: str) -> str:
    return f"models:\n  m:\n    cmd: x ${{PORT}}\n    {field}\n"


@pytest.mark.parametrize("word", ["true", "y", "Yes", "'yes'", "on", "ON", "True"])
def test_go_takes_these_for_true(word: str) -> None:
    assert model(in_model(f"unlisted: {word}")).unlisted is True


@pytest.mark.parametrize("word", ["false", "n", "No", '"no"', "off", "", "~"])
def test_go_takes_these_for_false(word: str) -> None:
    assert model(in_model(f"unlisted: {word}")).unlisted is False


@pytest.mark.parametrize(
    ("value", "shown"), [("1", "`1`"), ("'true'", "`true`"), ("[]", "a list"), ("{}", "a mapping")]
)
def test_anything_else_is_neither(value: str, shown: str) -> None:
    found = mistake(in_model(f"unlisted: {value}"))
    assert (found.line, found.column, found.key) == (4, 15, "models.m.unlisted")
    assert found.message == f"this must be true or false, and it is {shown}"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("300", 300),
        ("0x10", 16),
        ("5m", 300),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("90s", 90),
        ("500ms", 0.5),
        ("1d", 86400),
    ],
)
def test_seconds_are_numbers_or_durations(value: str, seconds: float) -> None:
    assert config(f"globalTTL: {value}\nmodels: {{m: {{cmd: '${{PORT}}'}}}}").models["m"].ttl == seconds


def test_a_fraction_is_cut_off_and_told() -> None:
    found = warning("globalTTL: 1.9")
    assert found.message == "the fraction of 1.9 is cut off: 1"
    assert config("globalTTL: 2.0").models == {}


@pytest.mark.parametrize(
    ("value", "message", "remedy"),
    [
        ("'300'", 'this must be a number, and "300" in quotes is a text', "Remove the quotes."),
        ("true", "this must be a number, and it is `true`", "Write seconds as a number"),
        ("soon", "this must be a number, and it is `soon`", "Write seconds as a number"),
        (".inf", "this must be a number, and it is `.inf`", "Write seconds as a number"),
        ("[5]", "this must be a number, and it is a list", "Write seconds as a number"),
        ("-5", "this must be at least 0, and it is -5", "Write a larger number."),
        ("-5m", "this must be at least 0, and it is -300", "Write a larger number."),
    ],
)
def test_what_is_no_time_is_told(value: str, message: str, remedy: str) -> None:
    found = mistake(f"globalTTL: {value}")
    assert found.message == message
    assert found.remedy.startswith(remedy)


def test_a_number_may_have_a_largest_value() -> None:
    assert mistake("startPort: 65536").message == "this must be at most 65535, and it is 65536"
    assert config("startPort: 65535").start_port == 65535


@pytest.mark.parametrize(
    ("value", "size"),
    [("1000", 1000), ("256MB", 2**28), ("1 GiB", 2**30), ("10k", 10240), ("'5B'", 5), ("'7'", 7), ("~", 2**28)],
)
def test_sizes_are_bytes_or_have_a_unit(value: str, size: int) -> None:
    assert config(f"maxBodySize: {value}").max_body_bytes == size


@pytest.mark.parametrize("value", ["big", "0", "0MB", "[]", "-1"])
def test_what_is_no_size_is_told(value: str) -> None:
    assert mistake(f"maxBodySize: {value}").key == "maxBodySize"


@pytest.mark.parametrize(("value", "seconds"), [("30", 30), ("0.25", 0.25), ("2m", 120), (".inf", math.inf), ("", 30)])
def test_patience_may_be_a_fraction_or_endless(value: str, seconds: float) -> None:
    assert config(f"patience: {value}").patience == seconds


@pytest.mark.parametrize("value", [".nan", "-1", "-.inf", "-0.5", "x", "[]"])
def test_patience_is_a_time(value: str) -> None:
    assert mistake(f"patience: {value}").key == "patience"


def test_a_text_may_look_like_anything() -> None:
    assert model(in_model("name: 012")).name == "012"
    assert model(in_model("name: true")).name == "true"
    assert model(in_model("name: 2024-01-01")).name == "2024-01-01"
    assert model(in_model("name: ~")).name == ""
    assert model(in_model("name: '  x '")).name == "x"


def test_no_text_holds_a_nul() -> None:
    found = mistake(in_model('env: ["A=\\0"]'))
    assert (found.key, found.message) == ("models.m.env[0]", "this text contains a NUL character")


def test_a_list_is_no_text_and_a_text_no_list() -> None:
    found = mistake(in_model("name: [a]"))
    assert found.message == "this must be a text, and it is a list"
    found = mistake(in_model("aliases: other"))
    assert found.remedy == "Write `- other` below it."
    assert mistake(in_model("env: {A: b}")).message == "this must be a list, and it is a mapping"
    assert mistake(in_model("aliases: [[a]]")).key == "models.m.aliases[0]"
    assert model(in_model("aliases:")).aliases == ()


def test_a_word_is_one_of_those_there_are() -> None:
    assert config("logToStdout: both").log_to_stdout == "both"
    found = mistake("logToStdout: upstreams")
    assert found.message == "this must be one of proxy, upstream, both, none, and it is `upstreams`"
    assert found.remedy == "Did you mean upstream?"
    assert mistake("logToStdout: ''").remedy == "Write one of proxy, upstream, both, none."
    assert len(mistakes("logToStdout: []")) == 1


def test_an_unknown_log_level_is_info_as_in_llama_swap_but_told() -> None:
    assert config("logLevel: ' WARN '").log_level == "warn"
    assert "info is used" in warning("logLevel: verbose").message


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2024-01-02", "2024-01-02T00:00:00Z"),
        ("2024-1-2 3:04:05.120", "2024-01-02T03:04:05.12Z"),
        ("2024-01-02T03:04:05+02:00", "2024-01-02T03:04:05+02:00"),
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
    ],
)
def test_a_date_in_free_information_is_a_text_as_go_writes_it(written: str, shown: str) -> None:
    assert model(in_model(f"metadata: {{when: {written}}}")).metadata == {"when": shown}


def test_a_number_that_json_does_not_have_is_null_and_told() -> None:
    text = in_model("metadata: {a: .inf, b: [.nan]}")
    assert read_loosely(text).models["m"].metadata == {"a": None, "b": (None,)}
    assert [each.key for each in serious(warnings(text))] == ["models.m.metadata.a", "models.m.metadata.b[0]"]


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(hours: int, minutes: int, seconds: int) -> None:
    text = f"{hours}h{minutes}m{seconds}s"
    assert duration(Scalar(text, text, Place("", 0, 0))) == hours * 3600 + minutes * 60 + seconds
