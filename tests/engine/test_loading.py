"""Reports of progress become lines for people; everything else passes."""

from __future__ import annotations

import io
import json

import pytest

from llamaswap_py.engine.loading import OVER, PREFIX, percent, relay


def report(
    value: object, state: str = "loading", stages: object = ("text_model",), current: str = "text_model"
) -> bytes:
    payload = {"stages": stages, "current": current, "value": value}
    return PREFIX + json.dumps({"state": state, "payload": payload}).encode() + b"\n"


def test_lines_come_in_steps_and_the_last_one_always() -> None:
    told, target = io.StringIO(), io.BytesIO()
    lines = [report(value / 100) for value in range(98)] + [b'{"log":1}\n', report(1.0), report(1.0), b"rest"]
    relay(io.BytesIO(b"".join(lines)), target, told)
    numbers = [int(line.split()[-2]) for line in told.getvalue().splitlines()]
    assert numbers == [*range(0, 100, 5), 100]
    assert target.getvalue() == b'{"log":1}\nrest'


def test_nothing_is_awaited_once_the_load_is_over() -> None:
    target = io.BytesIO()
    relay(io.BytesIO(b"one\n" + OVER + b"two\n"), target, io.StringIO())
    assert target.getvalue() == b"one\n"


def test_a_model_in_several_pieces_counts_each() -> None:
    assert percent(report(0.5, stages=["text_model", "mmproj"])) == 25
    assert percent(report(0.5, stages=["text_model", "mmproj"], current="mmproj")) == 75


@pytest.mark.parametrize(
    "line", [report(1, "ready"), report("x"), report(0.5, stages=[]), PREFIX + b"{", PREFIX + b"3"]
)
def test_what_says_no_progress_is_not_told(line: bytes) -> None:
    assert percent(line) is None
