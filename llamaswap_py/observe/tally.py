"""What finished requests add up to. Counted on the loop, as they are read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from llamaswap_py.observe.lately import Ended
from llamaswap_py.observe.rows import Row
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

    def count(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self.one(row)

    def one(self, row: Row) -> None:
        kept, details = self.kept, row.details
        model = row.model if row.model in self.models else OTHER
        api, at = details.api or OTHER, (model,)
        self.last[api] = row.created
        self.ended.see(row)
        kept.add("llamaswap_requests_total", (api, model, f"{row.fate // 100}xx"))
        kept.see("llamaswap_request_duration_seconds", (api, model), row.duration_ms / 1000)
        kept.see("llamaswap_queue_wait_seconds", at, details.queued)
        kept.add("llamaswap_response_bytes_total", at, details.bytes)
        if details.loading:
            kept.see("llamaswap_load_wait_seconds", at, details.loading)
        if details.code:
            kept.add("llamaswap_refusals_total", (model, details.code))
        if details.closed_by == "caller" or details.code == "caller_left":
            kept.add("llamaswap_client_aborts_total", (model, details.phase or "waiting"))
        if row.status == 200:
            self.answered(row, at)

    def answered(self, row: Row, at: tuple[str, ...]) -> None:
        kept, usage = self.kept, row.usage
        if row.details.phase in ANSWERED and row.content_type.startswith(STREAM):
            kept.see("llamaswap_time_to_first_token_seconds", at, row.details.first_byte)
        if usage.prompt_speed > 0:
            kept.see("llamaswap_prompt_tokens_per_second", at, usage.prompt_speed)
        if usage.speed > 0:
            kept.see("llamaswap_generation_tokens_per_second", at, usage.speed)
        tokens = (
            ("input", usage.input),
            ("output", usage.output),
            ("cached", usage.cached),
            ("drafted", usage.drafted),
            ("accepted", usage.accepted),
        )
        for kind, count in tokens:
            if count > 0:
                kept.add("llamaswap_tokens_total", (*at, kind), count)
