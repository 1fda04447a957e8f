"""What finished requests add up to."""

from __future__ import annotations

from llamaswap_py.observe.alike import alike
from llamaswap_py.observe.rows import Details, Row
from llamaswap_py.observe.scores import Score
from llamaswap_py.observe.tally import Tally
from llamaswap_py.wire.usage import Usage

USAGE = Usage(10, 20, 5, -1, -1, 300.0, 40.0)


def row(model: str = "a", status: int = 200, usage: Usage = USAGE, details: Details = Details()) -> Row:  # noqa: B008
    return Row(1, model, "/v1/x", "text/event-stream", status, usage, 1500, details=details)


def tallied(*rows: Row) -> dict[str, Score]:
    tally = Tally({"a"})
    tally.count(alike(rows))
    return {score.metric.name.removeprefix("llamaswap_"): score for score in tally.scores()}


def test_an_answer_counts_its_tokens_times_and_speeds() -> None:
    found = tallied(
        row(details=Details(api="openai", queued=0.5, loading=2.0, first_byte=3.0, bytes=99, phase="complete"))
    )
    assert found["requests_total"].values == {("openai", "a", "2xx"): 1}
    assert found["tokens_total"].values == {("a", "input"): 10, ("a", "output"): 20, ("a", "cached"): 5}
    assert found["response_bytes_total"].values == {("a",): 99}
    sums = {name: {k: v[1] for k, v in score.spreads.items()} for name, score in found.items() if score.spreads}
    assert sums == {
        "request_duration_seconds": {("openai", "a"): 1.5},
        "queue_wait_seconds": {("a",): 0.5},
        "load_wait_seconds": {("a",): 2.0},
        "time_to_first_token_seconds": {("a",): 3.0},
        "prompt_tokens_per_second": {("a",): 300.0},
        "generation_tokens_per_second": {("a",): 40.0},
    }


def test_an_answer_that_broke_off_counts_by_what_ended_it() -> None:
    codes = ("upstream_failed", "cancelled", "caller_left")
    found = tallied(*(row(details=Details(api="openai", code=code, phase="body")) for code in codes))
    assert found["requests_total"].values == {("openai", "a", kind): 1 for kind in ("5xx", "4xx", "2xx")}


def test_names_that_callers_make_up_are_one_name() -> None:
    found = tallied(*(row(f"made-up-{number}", 404) for number in range(100)))
    assert found["requests_total"].values == {("other", "other", "4xx"): 100}
    assert not found["tokens_total"].values


def test_refusals_and_callers_who_leave_are_told_apart() -> None:
    found = tallied(
        row(status=429, details=Details(code="queue_full")),
        row(details=Details(code="caller_left", closed_by="caller", phase="body")),
        row(status=499, details=Details(code="caller_left")),
    )
    assert found["refusals_total"].values == {("a", "queue_full"): 1, ("a", "caller_left"): 2}
    assert found["client_aborts_total"].values == {("a", "body"): 1, ("a", "waiting"): 1}
