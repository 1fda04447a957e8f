"""What an unquoted word is in YAML as Go's yaml.v3 reads it: only 1.2's booleans, but old and new octals."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from llamaswap_py.config.tree import Plain, Stamp

WORDS: dict[str, Plain] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
FIRST = frozenset("+-.0123456789")
WHOLE = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
STAMP = re.compile(
    r"\d{4}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12]\d|3[01])"
    r"(?:[Tt]\d\d?:\d\d?:\d\d?(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)| \d\d?:\d\d?:\d\d?(?:\.\d+)?)?"
)
BASES = ((2, 16), (3, 8), (4, 2), (5, 10))  # group of WHOLE -> its base
SMALLEST, BIGGEST = -(2**63), 2**64 - 1  # what Go holds in 64 bits; beyond it a number is a float


def resolve(text: str) -> Plain:
    if text in WORDS:
        return WORDS[text]
    if text[0] not in FIRST:
        return text
    if text[0] in "123456789" and len(text) < 10 and text.isdecimal() and text.isascii():  # what most numbers are
        return int(text)
    if STAMP.fullmatch(text):
        return Stamp(text)
    number = as_number(text.replace("_", ""))
    return text if number is None else number


def as_number(text: str) -> int | float | None:
    """None where it is not one."""
    whole = WHOLE.fullmatch(text)
    if whole:
        value = next(int(whole[1] + whole[group], base) for group, base in BASES if whole[group])
        if SMALLEST <= value <= BIGGEST:
            return value
    if FLOAT.fullmatch(text) and math.isfinite(value_ := float(text)):
        return value_
    return None


def spell(value: Plain) -> str:
    """A typed value inside a text, as Go prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return spell_float(value)
    return str(value)


def spell_float(value: float) -> str:
    """The fewest digits, with an exponent below 1e-4 and from 1e+6 on."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{value:+}".replace("inf", "Inf")
    number = Decimal(repr(value))
    exponent = number.adjusted() if number else 0
    if -4 <= exponent < 6:
        short = f"{number:f}"
        return short.rstrip("0").rstrip(".") if "." in short else short
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{'-' if value < 0 else ''}{digits[0]}{fraction}e{exponent:+03d}"
