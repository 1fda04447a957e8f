"""The time in front of a log line, as Go writes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from llamaswap_py.daemon.stamps import STAMPS

NOW = datetime(2026, 3, 5, 14, 7, 9, 120300, timezone(timedelta(hours=-7), "MST"))
WRITTEN = {
    "ansic": "Thu Mar  5 14:07:09 2026",
    "unixdate": "Thu Mar  5 14:07:09 MST 2026",
    "rubydate": "Thu Mar 05 14:07:09 -0700 2026",
    "rfc822": "05 Mar 26 14:07 MST",
    "rfc822z": "05 Mar 26 14:07 -0700",
    "rfc850": "Thursday, 05-Mar-26 14:07:09 MST",
    "rfc1123": "Thu, 05 Mar 2026 14:07:09 MST",
    "rfc1123z": "Thu, 05 Mar 2026 14:07:09 -0700",
    "rfc3339": "2026-03-05T14:07:09-07:00",
    "rfc3339nano": "2026-03-05T14:07:09.1203-07:00",
    "kitchen": "2:07PM",
    "stamp": "Mar  5 14:07:09",
    "stampmilli": "Mar  5 14:07:09.120",
    "stampmicro": "Mar  5 14:07:09.120300",
    "stampnano": "Mar  5 14:07:09.120300000",
}


@pytest.mark.parametrize("name", STAMPS)
def test_every_form(name: str) -> None:
    assert STAMPS[name](NOW) == WRITTEN[name]


def test_the_corners() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert STAMPS["rfc3339"](noon) == "2026-01-01T12:00:00Z"
    assert STAMPS["rfc3339nano"](noon) == "2026-01-01T12:00:00Z"
    assert STAMPS["kitchen"](noon) == "12:00PM"
    assert STAMPS["kitchen"](noon.replace(hour=0)) == "12:00AM"
