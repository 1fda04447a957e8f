"""The judge of answers: what is promised passes, and every way to break it is seen."""

from __future__ import annotations

import pytest

from tests.whole.soak import verdicts
from tests.whole.talk import streamed

EXPECTED = streamed("a", "hello", 9)
TOLD = b'data: {"error":{"code":"upstream_failed","message":"it died"}}\n\n'
CUT = EXPECTED.index(b"\n\n", 400) + 2  # after a whole event
NEWS = b'data: {"choices":[{"delta":{"reasoning_content":"loading"}}]}\n\n'


def test_a_whole_answer_is_whole_also_behind_news() -> None:
    assert verdicts.whole(EXPECTED, EXPECTED, news=False) is None
    assert verdicts.whole(NEWS + EXPECTED, EXPECTED, news=True) is None


@pytest.mark.parametrize("got", [EXPECTED[:CUT], EXPECTED[:CUT] + TOLD, b"", NEWS + EXPECTED, EXPECTED + EXPECTED])
def test_a_clean_end_of_anything_else_is_a_breach(got: bytes) -> None:
    assert verdicts.whole(got, EXPECTED, news=False) is not None


@pytest.mark.parametrize("got", [EXPECTED[:CUT] + TOLD, TOLD])
def test_whole_events_and_the_reason_may_break_off(got: bytes) -> None:
    assert verdicts.broken(got, EXPECTED, news=False) is None


@pytest.mark.parametrize(
    "got",
    [
        b"",
        EXPECTED[:CUT],
        EXPECTED[: CUT + 5],
        EXPECTED[:CUT] + TOLD[:-1],
        EXPECTED[:CUT] + TOLD.replace(b"upstream_failed", b"internal_error"),
        TOLD + TOLD,
        EXPECTED + TOLD.replace(b"data", b"date"),
    ],
)
def test_other_breaks_are_breaches(got: bytes) -> None:
    assert verdicts.broken(got, EXPECTED, news=False) is not None


def test_refusals_are_typed() -> None:
    assert verdicts.refused(503, b'{"error":{"code":"model_unloaded"}}') is None
    assert verdicts.refused(500, b'{"error":{"code":"internal"}}') is not None
    assert verdicts.refused(502, b"Bad Gateway") is not None
    assert verdicts.refused(502, b'["error"]') is not None
