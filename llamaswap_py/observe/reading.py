"""What a finished request comes to: its row, and what is kept of it. Bytes in, values out."""

from __future__ import annotations

from llamaswap_py.errors import Refusal
from llamaswap_py.observe.captures import Dense, dense
from llamaswap_py.observe.details import Know
from llamaswap_py.observe.finished import Finished
from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.rows import UNKNOWN, Row
from llamaswap_py.wire.coding import CODINGS, inflated
from llamaswap_py.wire.sse import events_in
from llamaswap_py.wire.usage import NOTHING, error_of, usage_of
from llamaswap_py.wire.window import Body

LIGHT = 512 * 1024  # bytes of an answer, which are read within a millisecond,
LIGHT_FAILURE = 16 * 1024  # and of one that may be anything
LARGEST_INFLATED = 64 * 1024 * 1024  # a compressed answer that holds more is not opened


def is_light(finished: Finished) -> bool:
    """It takes no longer to read than a request may wait for."""
    answer = finished.heard.answer
    if answer is None:
        return True
    return answer.coding not in CODINGS and finished.weight <= (LIGHT if finished.status == 200 else LIGHT_FAILURE)


class Read:
    """A finished request that was read."""

    __slots__ = ("capture", "row", "weight")

    def __init__(self, finished: Finished, know: Know) -> None:
        self.weight = finished.weight
        self.capture: Dense | None = None
        heard, answer = finished.heard, finished.heard.answer
        content_type = finished.content_type or (answer.content_type if answer is not None else "")
        usage, error, details = NOTHING, finished.error, UNKNOWN
        coding = answer.coding if answer is not None else ""
        # Events that are whole in the framing of their chunks can be read where they stand.
        framed = heard.read_framed() if "text/event-stream" in content_type and coding not in CODINGS else None
        try:
            body = framed or (opened(heard) if coding in CODINGS else heard.read())
        except NotOpened as reason:
            what = "decompression" if finished.status == 200 else "decode"
            error = error or f"response {what} failed: {reason}"
        else:
            if finished.status == 200:
                usage = usage_of(finished.path, content_type, body)
            elif not error:
                error = error_of(finished.status, b"" if finished.private else body.first)
            self.capture = captured(finished, body, framed is not None)
            streamed = body.whole and "text/event-stream" in content_type
            details = know(finished, events_in(body.first) if streamed else 0)
        took = finished.seconds * 1000
        self.row = Row(
            int(finished.when),
            finished.model,
            finished.path,
            content_type,
            finished.status,
            usage,
            int(max(took, usage.milliseconds)),
            error,
            finished.metadata,
            details=details,
        )


class NotOpened(Exception):
    """The compressed body cannot be read; the sentence says why."""


def opened(heard: Heard) -> Body:
    """A compressed body as plain bytes."""
    body = heard.read()
    if not body.first:
        return body
    if not body.whole:
        raise NotOpened(f"it is compressed and {heard.size} bytes long, more than is held")
    try:
        return Body(inflated(body.first, LARGEST_INFLATED))
    except Refusal as why:
        raise NotOpened("it is cut off, no such coding, or far larger than it looks") from why


def captured(finished: Finished, body: Body, framed: bool) -> Dense | None:
    if finished.asked is None or finished.heard.answer is None or not body.whole:
        return None
    if finished.status == 200 and not body.first:
        return None
    answered = body.first if finished.status == 200 else None
    return dense(finished.path, finished.asked, finished.heard.answer, answered, framed)
