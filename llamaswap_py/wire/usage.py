"""What an answer says it cost: tokens and speeds, in every form servers say it. Bytes in, numbers out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

import msgspec

from llamaswap_py.wire.window import NEAR_END, NEAR_START, Body

TOLD = re.compile(rb'"(usage|timings|metrics)"\s*:\s*\{')
NAMES = (b'"usage"', b'"timings"', b'"metrics"')
LINE_END = re.compile(rb"[\r\n]")
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
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
Figure = Annotated[float, msgspec.Meta(ge=0, le=LARGEST)]


class Details(msgspec.Struct, frozen=True, gc=False):
    """Of the tokens that a request brought. In all of these -1 means: not said."""

    cached_tokens: Count = -1


UNSAID = Details()


class Spent(msgspec.Struct, gc=False):
    """`usage`, as either family of APIs writes it."""

    prompt_tokens: Count = -1
    input_tokens: Count = -1
    completion_tokens: Count = -1
    output_tokens: Count = -1
    cache_read_input_tokens: Count = -1
    input_tokens_details: Details = UNSAID
    prompt_tokens_details: Details = UNSAID


class Timings(msgspec.Struct, gc=False):
    """llama.cpp's own figures: `prompt_n` counts what was processed anew, without what was cached."""

    prompt_n: Count = 0
    predicted_n: Count = 0
    cache_n: Count = -1
    draft_n: Count = -1
    draft_n_accepted: Count = -1
    prompt_per_second: Figure = 0.0
    predicted_per_second: Figure = 0.0
    prompt_ms: Figure = 0.0
    predicted_ms: Figure = 0.0


class Drafts(msgspec.Struct, frozen=True, gc=False):
    num_draft_tokens: Count = -1
    num_accepted_draft_tokens: Count = -1


UNDRAFTED = Drafts()


class Metrics(msgspec.Struct, gc=False):
    """vLLM's."""

    speculative_decoding: Drafts = UNDRAFTED
    time_to_first_token_ms: Figure = 0.0
    mean_itl_ms: Figure = 0.0


class Told(msgspec.Struct):
    """Where in an answer or an event the numbers may stand; what may be long is not taken apart unasked."""

    usage: Spent | None = None
    timings: Timings | None = None
    metrics: Metrics | None = None
    response: msgspec.Raw = ABSENT
    message: msgspec.Raw = ABSENT


class Loose(msgspec.Struct):
    """The same, where one of them is no object, or something in it no number."""

    usage: Any = None
    timings: Any = None
    metrics: Any = None
    response: msgspec.Raw = ABSENT
    message: msgspec.Raw = ABSENT


Said = Spent | Timings | Metrics | Details | Drafts
KINDS: Mapping[str, type[Spent | Timings | Metrics]] = {
    "usage": Spent,
    "timings": Timings,
    "metrics": Metrics,
}
INNER: Mapping[str, type[Details | Drafts]] = {
    "input_tokens_details": Details,
    "prompt_tokens_details": Details,
    "speculative_decoding": Drafts,
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

    def hear(self, told: Told) -> None:
        if told.usage is not None:
            self.usage = with_usage(self.usage or SILENT, told.usage)
        if told.timings is not None:
            self.timings = told.timings
        if told.metrics is not None:
            self.metrics = told.metrics

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


def usage_of_ends(ends: Body) -> Usage | None:
    """Of a stream's two ends; None where the last events name no numbers: those may stand before them."""
    late = list(telling_lines(ends.last))
    if not late:
        return None
    account = Account()
    read_lines(account, telling_lines(ends.first))
    read_late(account, ends.last, late)
    return account.total()


def read_events(account: Account, body: Body) -> None:
    read_lines(account, telling_lines(body.first))
    read_late(account, body.last, list(telling_lines(body.last)))


def read_late(account: Account, text: bytes, lines: list[bytes]) -> None:
    """Of the end of a body, which may begin in the middle of an event."""
    if lines and not lines[0].startswith(b"data:") and text.startswith(lines[0]):
        read_fragments(account, lines.pop(0))
    read_lines(account, lines)


def read_lines(account: Account, lines: Iterable[bytes]) -> None:
    for line in lines:
        if line.startswith(b"data:"):
            read_object(account, line[5:])


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


def read_object(account: Account, text: bytes) -> None:
    try:
        told = told_of(text)
        if told.response is not ABSENT or told.message is not ABSENT:
            for inner in filter(is_object, (told.response, told.message)):
                account.hear(Told(told_of(inner).usage))
    except BROKEN:
        return
    account.hear(told)


def told_of(text: bytes | msgspec.Raw) -> Told:
    try:
        return TOLD_DECODER.decode(text)
    except msgspec.ValidationError:
        loose = LOOSE_DECODER.decode(text)
        told = Told(response=loose.response, message=loose.message)
        for name in KINDS:
            take(told, name, getattr(loose, name))
        return told


def take(told: Told, name: str, said: object) -> None:
    if isinstance(said, dict):
        setattr(told, name, cleaned(KINDS[name], said))


def cleaned(kind: type[Said], said: Mapping[str, object]) -> Any:
    """Whatever stands there is taken; what is no number that could be meant counts nothing."""
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        value = said.get(field.name, ABSENT)
        inner = INNER.get(field.name)
        if inner is None and value is not ABSENT:
            fields[field.name] = type(field.default)(number(value))
        elif inner is not None and isinstance(value, dict):
            fields[field.name] = cleaned(inner, value)
    return kind(**fields)


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
        told = Told()
        take(told, found[1].decode(), said)
        account.hear(told)


def last_element(text: bytes) -> bytes:
    """Of an array, its last element; everything else as it is."""
    try:
        elements = RAWS.decode(text)
    except BROKEN:
        return text
    return bytes(elements[-1]) if elements else text


def with_usage(before: Usage, said: Spent) -> Usage:
    spent_in = said.prompt_tokens if said.prompt_tokens >= 0 else said.input_tokens
    spent_out = said.completion_tokens if said.completion_tokens >= 0 else said.output_tokens
    cached = cached_of(said)
    return Usage(
        spent_in if spent_in > 0 else before.input,
        spent_out if spent_out > 0 else before.output,
        cached if cached >= 0 else before.cached,
    )


def cached_of(said: Spent) -> int:
    if said.cache_read_input_tokens >= 0:
        return said.cache_read_input_tokens
    ours, theirs = said.input_tokens_details, said.prompt_tokens_details
    return ours.cached_tokens if ours.cached_tokens >= 0 else theirs.cached_tokens


def with_timings(before: Usage, said: Timings) -> Usage:
    drafts = said.draft_n >= 0 and said.draft_n_accepted >= 0
    return Usage(
        said.prompt_n,
        said.predicted_n,
        before.cached if said.cache_n < 0 else said.cache_n,
        said.draft_n if drafts else before.drafted,
        said.draft_n_accepted if drafts else before.accepted,
        said.prompt_per_second,
        said.predicted_per_second,
        said.prompt_ms + said.predicted_ms,
    )


def with_metrics(before: Usage, said: Metrics) -> Usage:
    drafted, accepted = said.speculative_decoding.num_draft_tokens, said.speculative_decoding.num_accepted_draft_tokens
    if drafted >= 0 and accepted >= 0:
        before = before._replace(drafted=drafted, accepted=accepted)
    first, between = said.time_to_first_token_ms, said.mean_itl_ms
    if first > 0:
        before = before._replace(prompt_speed=max(before.input - max(before.cached, 0), 0) * 1000 / first)
    if between > 0:
        before = before._replace(speed=1000 / between)
    return before


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
