"""What an answer says it cost: tokens and speeds, in every form servers say it. Bytes in, numbers out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from llamaswap_py.wire.window import Body

TOLD = re.compile(rb'"(usage|timings|metrics)"\s*:\s*\{')
NAMES = (b'"usage"', b'"timings"', b'"metrics"')
LINE_END = re.compile(rb"[\r\n]")
# Where to look first in a stream: its first event is short, and the last ones hold their numbers at their ends.
NEAR_START, NEAR_END = 4 * 1024, 8 * 1024
# An object of numbers is far smaller; what is longer is no usage.
LONGEST_OBJECT = 8 * 1024
LARGEST = 2**53  # beyond it JSON numbers are not exact, and no server counts that far
LONGEST_ERROR = 500  # bytes of a server's sentence that a row keeps, as llama-swap does

Json = Mapping[str, Any]


class Usage(NamedTuple):
    """-1 means: not said."""

    input: int = 0
    output: int = 0
    cached: int = -1
    drafted: int = -1
    accepted: int = -1
    prompt_speed: float = -1.0  # tokens a second
    speed: float = -1.0
    milliseconds: float = 0.0  # what the server itself says it took


# Of an answer that says nothing.
NOTHING = Usage(cached=0, drafted=0, accepted=0, prompt_speed=0.0, speed=0.0)


ABSENT = msgspec.Raw(b"")


class Told(msgspec.Struct):
    """Where in an answer or an event the numbers may stand; what may be long is not taken apart unasked."""

    usage: Any = None
    timings: Any = None
    metrics: Any = None
    response: msgspec.Raw = ABSENT
    message: msgspec.Raw = ABSENT


TOLD_DECODER = msgspec.json.Decoder(Told)
RAWS = msgspec.json.Decoder(list[msgspec.Raw])
OBJECT = msgspec.json.Decoder(dict[str, Any])
BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Account:
    """What was said so far; the later word counts, where it says something."""

    __slots__ = ("metrics", "timings", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.timings: Json | None = None
        self.metrics: Json | None = None

    def hear(self, name: str, said: Json) -> None:
        if name == "usage":
            self.usage = with_usage(self.usage or Usage(), said)
        elif name == "timings":
            self.timings = said
        else:
            self.metrics = said

    def total(self) -> Usage | None:
        """None where nothing was said at all."""
        if self.usage is None and self.timings is None and self.metrics is None:
            return None
        usage = self.usage or Usage()
        if self.timings is not None:
            usage = with_timings(usage, self.timings)
        if self.metrics is not None:
            usage = with_metrics(usage, self.metrics)
        return usage


def usage_of(path: str, content_type: str, body: Body) -> Usage:
    account = Account()
    if "text/event-stream" in content_type:
        read_events(account, body)
    elif body.whole:
        read_object(account, last_element(body.first) if path.startswith("/infill") else body.first)
    else:
        for part in (body.first, body.last):
            read_fragments(account, part)
    return account.total() or NOTHING


def read_events(account: Account, body: Body) -> None:
    for line in telling_lines(body.first):
        read_event(account, line)
    for number, line in enumerate(telling_lines(body.last)):
        # The end of a long body may begin in the middle of an event.
        if number == 0 and not line.startswith(b"data:") and body.last.startswith(line):
            read_fragments(account, line)
        else:
            read_event(account, line)


def telling_lines(text: bytes) -> Iterator[bytes]:
    """The lines that hold an object of numbers: a few in thousands."""
    at = 0
    for found in near_ends(text):
        if found.start() < at:
            continue  # in the line before
        start = max(at, text.rfind(b"\n", at, found.start()) + 1, text.rfind(b"\r", at, found.start()) + 1)
        end = LINE_END.search(text, found.end())
        at = end.start() if end else len(text)
        yield text[start:at].lstrip()


def near_ends(text: bytes) -> list[re.Match[bytes]]:
    """The objects of the first and of the last events; all there are where the last ones hold none."""
    middle = len(text) - NEAR_END
    if middle > NEAR_START and (late := objects(text, middle)):
        return objects(text, 0, NEAR_START) + late
    return objects(text)


def objects(text: bytes, start: int = 0, end: int | None = None) -> list[re.Match[bytes]]:
    """Where the objects of numbers begin, in order."""
    # `find` runs through a text some thirty times faster than a pattern does.
    places: list[int] = []
    for name in NAMES:
        at = start - 1
        while (at := text.find(name, at + 1, end)) >= 0:
            places.append(at)
    return [found for at in sorted(places) if (found := TOLD.match(text, at))]


def read_event(account: Account, line: bytes) -> None:
    if line.startswith(b"data:"):
        read_object(account, line[5:])


def read_object(account: Account, text: bytes) -> None:
    try:
        told = TOLD_DECODER.decode(text)
        for inner in (told.response, told.message):
            if inner is not ABSENT and is_object(inner):
                hear_dict(account, "usage", TOLD_DECODER.decode(inner).usage)
    except BROKEN:
        return
    hear_dict(account, "usage", told.usage)
    hear_dict(account, "timings", told.timings)
    hear_dict(account, "metrics", told.metrics)


def hear_dict(account: Account, name: str, said: object) -> None:
    if isinstance(said, dict):
        account.hear(name, said)


def is_object(raw: msgspec.Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b"{"


def read_fragments(account: Account, text: bytes) -> None:
    """The objects in a text of which something is missing. In a string the names could not stand so: its quotes
    are escaped."""
    for found in objects(text):
        start = found.end() - 1
        piece = text[start : start + LONGEST_OBJECT].decode("utf-8", "replace")
        try:
            said, _ = json.JSONDecoder().raw_decode(piece)
        except (ValueError, RecursionError):
            continue
        account.hear(found[1].decode(), said)


def last_element(text: bytes) -> bytes:
    """Of an array, its last element; everything else as it is."""
    try:
        elements = RAWS.decode(text)
    except BROKEN:
        return text
    return bytes(elements[-1]) if elements else text


def with_usage(before: Usage, said: Json) -> Usage:
    spent_in = count(said["prompt_tokens"] if "prompt_tokens" in said else said.get("input_tokens"))
    spent_out = count(said["completion_tokens"] if "completion_tokens" in said else said.get("output_tokens"))
    cached = cached_of(said)
    _, _, before_cached, *rest = before
    return Usage(spent_in or before.input, spent_out or before.output, cached if cached >= 0 else before_cached, *rest)


def cached_of(said: Json) -> int:
    if "cache_read_input_tokens" in said:
        return count(said["cache_read_input_tokens"])
    for name in ("input_tokens_details", "prompt_tokens_details"):
        details = said.get(name)
        if isinstance(details, dict) and "cached_tokens" in details:
            return count(details["cached_tokens"])
    return -1


def with_timings(before: Usage, said: Json) -> Usage:
    """llama.cpp's own figures: `prompt_n` counts what was processed anew, without what was cached."""
    drafts = "draft_n" in said and "draft_n_accepted" in said
    return Usage(
        count(said.get("prompt_n")),
        count(said.get("predicted_n")),
        count(said["cache_n"]) if "cache_n" in said else before.cached,
        count(said["draft_n"]) if drafts else before.drafted,
        count(said["draft_n_accepted"]) if drafts else before.accepted,
        number(said.get("prompt_per_second")),
        number(said.get("predicted_per_second")),
        number(said.get("prompt_ms")) + number(said.get("predicted_ms")),
    )


def with_metrics(before: Usage, said: Json) -> Usage:
    """vLLM's."""
    drafts = said.get("speculative_decoding")
    if isinstance(drafts, dict) and "num_draft_tokens" in drafts and "num_accepted_draft_tokens" in drafts:
        before = before._replace(
            drafted=count(drafts["num_draft_tokens"]), accepted=count(drafts["num_accepted_draft_tokens"])
        )
    first, between = number(said.get("time_to_first_token_ms")), number(said.get("mean_itl_ms"))
    if first > 0:
        before = before._replace(prompt_speed=max(before.input - max(before.cached, 0), 0) * 1000 / first)
    if between > 0:
        before = before._replace(speed=1000 / between)
    return before


def count(value: object) -> int:
    return int(number(value))


def number(value: object) -> float:
    """0 for what is no number that could be meant."""
    if type(value) is not int and type(value) is not float:
        return 0
    return value if 0 <= value <= LARGEST else 0  # not a number is not between them either


def error_of(status: int, body: bytes) -> str:
    """The sentence in an answer that is no success; else what its status means."""
    try:
        said = OBJECT.decode(body)
    except BROKEN:
        said = {}
    inner = said.get("error")
    for text in (
        inner.get("message") if isinstance(inner, dict) else None,
        inner,
        said.get("message"),
        said.get("detail"),
    ):
        if isinstance(text, str) and text.strip():
            return shortened(text.strip())
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def shortened(text: str) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= LONGEST_ERROR:
        return text
    return data[:LONGEST_ERROR].decode("utf-8", "ignore") + "..."
