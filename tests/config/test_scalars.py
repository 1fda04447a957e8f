"""Unquoted words, as Go reads and prints them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.config.scalars import as_number, resolve, spell
from llamaswap_py.config.tree import Plain, Stamp


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("NULL", None),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("1_000", 1000),
        ("0x1F", 31),
        ("-0x10", -16),
        ("0o17", 15),
        ("0b101", 5),
        ("014", 12),
        ("0", 0),
        ("00", 0),
        ("08", 8.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-.INF", -math.inf),
        (".inf", math.inf),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", 18446744073709551616.0),
        ("1e999", "1e999"),
        (".", "."),
        ("+", "+"),
        ("_1", "_1"),
        ("0x", "0x"),
        ("1.2.3", "1.2.3"),
        ("2024-02-30", Stamp("2024-02-30")),
        ("2024-13-01", "2024-13-01"),
        ("2024-01-02T03:04:05Z", Stamp("2024-01-02T03:04:05Z")),
        ("2024-01-02 03:04:05.5", Stamp("2024-01-02 03:04:05.5")),
        ("<<", "<<"),
    ],
)
def test_an_unquoted_word_is_what_go_makes_of_it(text: str, value: Plain) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_a_number() -> None:
    found = resolve(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (12, "12"),
        ("x", "x"),
        (1.0, "1"),
        (0.7, "0.7"),
        (-0.5, "-0.5"),
        (0.0, "0"),
        (100000.0, "100000"),
        (123456.5, "123456.5"),
        (1e6, "1e+06"),
        (1234567.5, "1.2345675e+06"),
        (-2e-5, "-2e-05"),
        (0.0001, "0.0001"),
        (1e100, "1e+100"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_a_value_inside_a_text_is_spelled_as_go_prints_it(value: Plain, text: str) -> None:
    assert spell(value) == text


@given(st.integers(-(2**63), 2**64 - 1))
def test_every_whole_number_survives_each_of_its_spellings(number: int) -> None:
    sign, digits = ("-" if number < 0 else ""), abs(number)
    for spelled in (f"{digits:d}", f"0x{digits:x}", f"0o{digits:o}", f"0b{digits:b}", f"0{digits:o}", f"{digits:_d}"):
        assert resolve(sign + spelled) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_survives_being_spelled(number: float) -> None:
    assert as_number(spell(number)) == number


@given(st.text(max_size=12))
def test_no_text_is_too_odd(text: str) -> None:
    resolve(text)
