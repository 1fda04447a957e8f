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


SILENT = Usage()
# Of an answer that says nothing.
NOTHING = Usage(cached=0, drafted=0, accepted=0, prompt_speed=0.0, speed=0.0)


ABSENT = msgspec.Raw(b"")
UNSAID: Any = msgspec.UNSET


class Spent(msgspec.Struct):
    """`usage`, as either family of APIs writes it. Whatever stands there is taken; what is no number counts nothing."""

    prompt_tokens: Any = UNSAID
    input_tokens: Any = UNSAID
    completion_tokens: Any = UNSAID
    output_tokens: Any = UNSAID
    cache_read_input_tokens: Any = UNSAID
    input_tokens_details: Any = UNSAID
    prompt_tokens_details: Any = UNSAID


class Timings(msgspec.Struct):
    """llama.cpp's own figures: `prompt_n` counts what was processed anew, without what was cached."""

    prompt_n: Any = UNSAID
    predicted_n: Any = UNSAID
    cache_n: Any = UNSAID
    draft_n: Any = UNSAID
    draft_n_accepted: Any = UNSAID
    prompt_per_second: Any = UNSAID
    predicted_per_second: Any = UNSAID
    prompt_ms: Any = UNSAID
    predicted_ms: Any = UNSAID


class Metrics(msgspec.Struct):
    """vLLM's."""

    speculative_decoding: Any = UNSAID
    time_to_first_token_ms: Any = UNSAID
    mean_itl_ms: Any = UNSAID


class Told(msgspec.Struct):
    """Where in an answer or an event the numbers may stand; what may be long is not taken apart unasked."""

    usage: Spent | None = None
    timings: Timings | None = None
    metrics: Metrics | None = None
    response: msgspec.Raw = ABSENT
    message: msgspec.Raw = ABSENT


class Loose(msgspec.Struct):
    """The same, where one of them is no object."""

    usage: Any = None
    timings: Any = None
    metrics: Any = None
    response: msgspec.Raw = ABSENT
    message: msgspec.Raw = ABSENT


KINDS: Mapping[str, type[Spent | Timings | Metrics]] = {
    "usage": Spent,
    "timings": Timings,
    "metrics": Metrics,
}
TOLD_DECODER = msgspec.json.Decoder(Told)
LOOSE_DECODER = msgspec.json.Decoder(Loose)
RAWS = msgspec.json.Decoder(list[msgspec.Raw])
OBJECT = msgspec.json.Decoder(dict[str, Any])
BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Account:
    """What was said so far; the later word counts, where it says something."""

    __slots__ = ("metrics", "timings", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.timings: Timings | None = None
        self.metrics: Metrics | None = None

    def hear(self, said: Spent | Timings | Metrics | None) -> None:
        if isinstance(said, Spent):
            self.usage = with_usage(self.usage or SILENT, said)
        elif isinstance(said, Timings):
            self.timings = said
        elif said is not None:
            self.metrics = said

    def total(self) -> Usage | None:
        """None where nothing was said at all."""
        if self.usage is None and self.timings is None and self.metrics is None:
            return None
        usage = self.usage or SILENT
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
        told = told_of(text)
        for inner in (told.response, told.message):
            if inner is not ABSENT and is_object(inner):
                account.hear(told_of(inner).usage)
    except BROKEN:
        return
    account.hear(told.usage)
    account.hear(told.timings)
    account.hear(told.metrics)


def told_of(text: bytes | msgspec.Raw) -> Told:
    try:
        return TOLD_DECODER.decode(text)
    except msgspec.ValidationError:
        loose = LOOSE_DECODER.decode(text)
        told = Told(response=loose.response, message=loose.message)
        for name in KINDS:
            setattr(told, name, from_dict(name, getattr(loose, name)))
        return told


def from_dict(name: str, said: object) -> Spent | Timings | Metrics | None:
    return msgspec.convert(said, KINDS[name]) if isinstance(said, dict) else None


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
        account.hear(from_dict(found[1].decode(), said))


def last_element(text: bytes) -> bytes:
    """Of an array, its last element; everything else as it is."""
    try:
        elements = RAWS.decode(text)
    except BROKEN:
        return text
    return bytes(elements[-1]) if elements else text


def with_usage(before: Usage, said: Spent) -> Usage:
    spent_in = count(said.input_tokens if said.prompt_tokens is UNSAID else said.prompt_tokens)
    spent_out = count(said.output_tokens if said.completion_tokens is UNSAID else said.completion_tokens)
    cached = cached_of(said)
    return Usage(
        spent_in or before.input,
        spent_out or before.output,
        cached if cached >= 0 else before.cached,
        before.drafted,
        before.accepted,
        before.prompt_speed,
        before.speed,
        before.milliseconds,
    )


def cached_of(said: Spent) -> int:
    if said.cache_read_input_tokens is not UNSAID:
        return count(said.cache_read_input_tokens)
    for details in (said.input_tokens_details, said.prompt_tokens_details):
        if isinstance(details, dict) and "cached_tokens" in details:
            return count(details["cached_tokens"])
    return -1


def with_timings(before: Usage, said: Timings) -> Usage:
    drafts = said.draft_n is not UNSAID and said.draft_n_accepted is not UNSAID
    return Usage(
        count(said.prompt_n),
        count(said.predicted_n),
        before.cached if said.cache_n is UNSAID else count(said.cache_n),
        count(said.draft_n) if drafts else before.drafted,
        count(said.draft_n_accepted) if drafts else before.accepted,
        number(said.prompt_per_second),
        number(said.predicted_per_second),
        number(said.prompt_ms) + number(said.predicted_ms),
    )


def with_metrics(before: Usage, said: Metrics) -> Usage:
    drafts = said.speculative_decoding
    if isinstance(drafts, dict) and "num_draft_tokens" in drafts and "num_accepted_draft_tokens" in drafts:
        before = before._replace(
            drafted=count(drafts["num_draft_tokens"]), accepted=count(drafts["num_accepted_draft_tokens"])
        )
    first, between = number(said.time_to_first_token_ms), number(said.mean_itl_ms)
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
