"""Rows that are counted together give what they give one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.observe.alerts.answers import Answers
from llamaswap_py.observe.alike import alike
from llamaswap_py.observe.rows import Details, Row
from llamaswap_py.observe.tally import Tally
from llamaswap_py.wire.usage import Usage

DETAILS = st.builds(
    Details,
    api=st.sampled_from(["", "openai"]),
    queued=st.sampled_from([0.0, 0.25, 8.0]),
    loading=st.sampled_from([0.0, 2.0]),
    first_byte=st.sampled_from([0.0, 0.5]),
    bytes=st.integers(0, 9),
    phase=st.sampled_from(["", "body", "complete"]),
    closed_by=st.sampled_from(["", "caller"]),
    code=st.sampled_from(["", "upstream_failed"]),
)
ROWS = st.builds(
    Row,
    created=st.integers(100, 102),
    model=st.sampled_from(["a", "b", "stranger"]),
    path=st.just("/v1/x"),
    content_type=st.sampled_from(["text/event-stream", "application/json"]),
    status=st.sampled_from([200, 404, 502]),
    usage=st.builds(
        Usage, input=st.integers(0, 3), cached=st.sampled_from([-1, 2]), speed=st.sampled_from([-1.0, 0.0, 4.0])
    ),
    duration_ms=st.sampled_from([0, 500, 4000]),
    details=DETAILS,
)


@given(st.lists(ROWS, max_size=12))
def test_together_they_are_what_they_are_one_by_one(rows: list[Row]) -> None:
    together, apart = (Tally({"a", "b"}), Answers()), (Tally({"a", "b"}), Answers())
    for (tally, answers), batches in ((together, [rows]), (apart, [[row] for row in rows])):
        for batch in batches:
            tally.count(alike(batch))
            answers.count(alike(batch))
    assert together[0].scores() == apart[0].scores()
    assert together[0].ended.lately(102) == apart[0].ended.lately(102)
    assert together[1].sums == apart[1].sums


def test_each_is_counted_with_those_it_is_like() -> None:
    rows = [Row(1, model, "/p", "", 200) for model in "abacab"]
    assert [(those.one.model, those.count) for those in alike(rows)] == [("a", 3), ("b", 2), ("c", 1)]
