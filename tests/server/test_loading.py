"""The words a waiting caller is told, and when."""

from __future__ import annotations

import random
from itertools import pairwise

from llamaswap_py.server.loading import REMARK_PAUSE, REMARKS, TICK_SECONDS, Script

BAR = "━━━━━"


def script() -> Script:
    return Script("org/model", 100.0, random.Random(1))


def test_the_block_is_framed_by_two_bars() -> None:
    """As llama-swap frames it: its page recognises the block by them."""
    said = script()
    assert said.opening() == (f"{BAR}\n", "llama-swap loading model: org/model\n")
    assert said.closing(103.456) == ("\n", "Done! (3.46s)\n", f"{BAR}\n", " \n")


def test_a_changed_position_is_said_once_and_zero_never() -> None:
    said = script()
    assert said.moment(3, 100.75) == "\nQueue position: #3 "
    assert said.moment(3, 101.5) != "\nQueue position: #3 "
    assert said.moment(1, 102.25) == "\nQueue position: #1 "
    assert "#" not in said.moment(0, 103.0)
    assert said.moment(1, 103.75) == "\nQueue position: #1 "


def test_remarks_come_at_once_and_then_between_five_and_nine_seconds_apart() -> None:
    """Dots in between; none is repeated before all were said; it never runs out of them."""
    said, times, remarks = script(), [], []
    for tick in range(1, 2000):
        now = 100 + tick * TICK_SECONDS
        text = said.moment(0, now)
        if text != ".":
            times.append(now)
            remarks.append(text.strip())
            assert text == f"\n{text.strip()} "
    assert times[0] == 100 + TICK_SECONDS
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) >= REMARK_PAUSE[0]
    assert max(gaps) <= REMARK_PAUSE[1] + TICK_SECONDS
    assert sorted(remarks[: len(REMARKS)]) == sorted(REMARKS)
    assert len(remarks) > len(REMARKS)
