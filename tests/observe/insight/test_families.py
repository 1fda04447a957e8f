"""The families of APIs at a glance."""

from __future__ import annotations

from llamaswap_py.observe.alike import alike
from llamaswap_py.observe.insight.families import families, overall
from llamaswap_py.observe.rows import Details, Row
from llamaswap_py.observe.tally import Tally

PATHS = {"openai": ["/v1/chat/completions", "/v1/completions"], "anthropic": ["/v1/messages"]}


def row(api: str, status: int, duration_ms: int = 100, created: int = 1000) -> Row:
    return Row(created, "m", "/p", "application/json", status, duration_ms=duration_ms, details=Details(api=api))


def test_each_family_is_counted_by_how_its_requests_ended() -> None:
    """What the caller did wrong is no failure of ours."""
    tally = Tally({"m"})
    rows = [row("openai", 200, 300), row("openai", 200, 100), row("openai", 404, 2), row("openai", 500, 200, 1700)]
    tally.count(alike(rows))
    openai, anthropic = families(tally.scores(), tally.last, PATHS)
    assert openai == {
        "endpoint": "OpenAI API", "api": "openai", "path": "/v1/chat/completions", "paths": PATHS["openai"],
        "total_requests": 4, "successful_requests": 2, "failed_requests": 1, "refused_requests": 1,
        "average_response_time": 150.5, "success_rate": 66.7, "last_request_time": "1970-01-01T00:28:20Z",
        "status": "critical",
    }  # fmt: skip
    assert (anthropic["total_requests"], anthropic["success_rate"], anthropic["status"]) == (0, None, "unused")
    assert (anthropic["average_response_time"], anthropic["last_request_time"]) == (None, None)
    assert overall([openai, anthropic]) == "critical"


def test_paths_of_nobody_are_a_family_once_they_were_asked() -> None:
    tally = Tally({"m"})
    tally.count(alike([row("", 200)]))
    assert families(tally.scores(), tally.last, {})[0]["endpoint"] == "Other paths"


def test_the_worst_counts() -> None:
    tally = Tally({"m"})
    tally.count(alike([row("openai", 200)] * 9 + [row("openai", 502)]))
    rows = families(tally.scores(), tally.last, PATHS)
    assert [each["status"] for each in rows] == ["warning", "unused"]
    assert (overall(rows), overall([])) == ("warning", "unused")
