"""What finished requests add up to. Counted on the loop, some at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from llamaswap_py.observe.alike import Alike
from llamaswap_py.observe.lately import Ended
from llamaswap_py.observe.scores import Score, Scores

OTHER = "other"  # instead of names that callers make up
STREAM = "text/event-stream"
LATELY = 300  # seconds that the health looks back
ANSWERED = ("body", "complete")  # phases after the first byte, which may have come within the clock's tick


class Tally:
    """`models`: the names that may be labels."""

    def __init__(self, models: Collection[str]) -> None:
        self.models = models
        self.last: dict[str, int] = {}  # of each API, when it was asked last, in unix seconds
        self.ended = Ended(LATELY)
        self.kept = Scores(
            "llamaswap_requests_total",
            "llamaswap_request_duration_seconds",
            "llamaswap_queue_wait_seconds",
            "llamaswap_load_wait_seconds",
            "llamaswap_time_to_first_token_seconds",
            "llamaswap_prompt_tokens_per_second",
            "llamaswap_generation_tokens_per_second",
            "llamaswap_tokens_total",
            "llamaswap_response_bytes_total",
            "llamaswap_refusals_total",
            "llamaswap_client_aborts_total",
        )

    def scores(self) -> list[Score]:
        return self.kept.scores()

    def count(self, finished: Iterable[Alike]) -> None:
        for those in finished:
            self.some(those)

    def some(self, those: Alike) -> None:
        kept, row, details = self.kept, those.one, those.one.details
        model = row.model if row.model in self.models else OTHER
        api, at = details.api or OTHER, (model,)
        self.last[api] = row.created
        self.ended.see(those)
        kept.add("llamaswap_requests_total", (api, model, f"{row.fate // 100}xx"), those.count)
        kept.see_all("llamaswap_request_duration_seconds", (api, model), those.durations)
        kept.see_all("llamaswap_queue_wait_seconds", at, those.details.queued)
        kept.add("llamaswap_response_bytes_total", at, sum(those.details.bytes))
        kept.see_all("llamaswap_load_wait_seconds", at, list(filter(None, those.details.loading)))
        if details.code:
            kept.add("llamaswap_refusals_total", (model, details.code), those.count)
        if details.closed_by == "caller" or details.code == "caller_left":
            kept.add("llamaswap_client_aborts_total", (model, details.phase or "waiting"), those.count)
        if row.status == 200:
            self.answered(those, at)

    def answered(self, those: Alike, at: tuple[str, ...]) -> None:
        kept, row, usage = self.kept, those.one, those.usage
        if row.details.phase in ANSWERED and row.content_type.startswith(STREAM):
            kept.see_all("llamaswap_time_to_first_token_seconds", at, those.details.first_byte)
        kept.see_all("llamaswap_prompt_tokens_per_second", at, [speed for speed in usage.prompt_speed if speed > 0])
        kept.see_all("llamaswap_generation_tokens_per_second", at, [speed for speed in usage.speed if speed > 0])
        tokens = (
            ("input", usage.input),
            ("output", usage.output),
            ("cached", usage.cached),
            ("drafted", usage.drafted),
            ("accepted", usage.accepted),
        )
        for kind, counts in tokens:
            if total := sum([each for each in counts if each > 0]):
                kept.add("llamaswap_tokens_total", (*at, kind), total)
