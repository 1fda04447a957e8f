"""The settings of the document as a whole: what is more than one value of one kind."""

from __future__ import annotations

import re
from collections.abc import Mapping

from llamaswap_py.config.fields import Fields
from llamaswap_py.config.report import closest
from llamaswap_py.config.tree import Place, at
from llamaswap_py.config.values import CrashLimit, Limits, LogFiles, Performance, Shelf, Store

QUICKEST_CHECK = 15  # seconds; llama-swap's floor for healthCheckTimeout
OFTENEST = 5  # seconds; llama-swap's floor for performance.every
SMALLEST_LOG = 64 * 1024  # the longest line there is fits
KEPT = 1000  # past requests; llama-swap's metricsMaxInMemory where nothing usable is said


def read_preload(document: Fields, names: Mapping[str, str]) -> tuple[str, ...]:
    fields = document.child("hooks").child("on_startup")
    found = []
    for name in filter(None, map(str.strip, fields.value("preload"))):
        if name in names:
            found.append(names[name])
        else:
            near = closest(name, names)
            remedy = f"Did you mean `{near[0]}`?" if near else "Remove it."
            fields.warn("preload", f"there is no model `{name}` to load", remedy)
    return tuple(found)


def read_check_timeout(fields: Fields) -> float:
    """A model's own, or everybody's; 0 where a model says nothing."""
    value: float = fields.value("healthCheckTimeout")
    if not value and fields.section:
        return 0
    if value < QUICKEST_CHECK:
        fields.warn("healthCheckTimeout", f"this is raised to {QUICKEST_CHECK} seconds", "Write a larger number.")
    return max(value, QUICKEST_CHECK)


def read_keys(fields: Fields) -> tuple[str, ...]:
    keys: tuple[str, ...] = fields.value("apiKeys")
    for number, key in enumerate(keys):
        if not key:
            tell(fields, "apiKeys", number, "the key is empty", "Write a key, or remove the entry.")
        elif " " in key:
            tell(fields, "apiKeys", number, "the key contains a space", "Write a key without spaces.")
    return keys


def read_patterns(document: Fields, name: str) -> tuple[str, ...]:
    """Regular expressions below `upstream`."""
    fields = document.child("upstream")
    patterns: tuple[str, ...] = fields.value(name)
    for number, pattern in enumerate(patterns):
        try:
            re.compile(pattern)
        except re.error as error:
            remedy = "Correct it; a backslash keeps a sign from having a meaning."
            tell(fields, name, number, f"`{pattern}` is not a regular expression: {error}", remedy)
    return patterns


def read_session_headers(document: Fields) -> tuple[str, ...]:
    written: tuple[str, ...] = document.child("ui").child("activity").value("session_id")
    found: dict[str, str] = {}
    for name in filter(None, map(str.strip, written)):
        found.setdefault(name.lower(), name)
    return tuple(found.values())


def read_performance(document: Fields) -> Performance:
    fields = document.child("performance")
    every: float = fields.value("every") or OFTENEST
    if every < OFTENEST:
        fields.wrong("every", f"this must be at least {OFTENEST} seconds, and it is {every:g}", "Write a larger one.")
    return Performance(fields.value("disabled"), every, fields.value("gpus"))


def read_limits(document: Fields) -> Limits:
    fields = document.child("limits")
    return Limits(
        connections=fields.value("connections"),
        upload_stall=fields.value("uploadStall"),
        reader_stall=fields.value("readerStall"),
        drain=fields.value("drain"),
    )


def read_crash_limit(document: Fields) -> CrashLimit:
    fields = document.child("crashLimit")
    return CrashLimit(fields.value("failures"), fields.value("window"), fields.value("retry"))


def read_log_files(document: Fields) -> LogFiles:
    fields = document.child("logs")
    found = LogFiles(
        directory=fields.value("directory").strip(),
        max_size=fields.value("maxSize"),
        max_age=fields.value("maxAge"),
        keep=fields.value("keep"),
        total=fields.value("total"),
    )
    for name, size in (("maxSize", found.max_size), ("total", found.total)):
        if 0 < size < SMALLEST_LOG:
            fields.wrong(name, f"this must be 64KB at least, and it is {size} bytes", "Write a larger size, or 0.")
    if fields.node is not None and not found.directory:
        fields.warn("directory", "without a directory no logs are written to files", "Write `directory: logs`.")
    return found


def read_store(document: Fields) -> Store:
    fields = document.child("store")
    path: str = fields.value("path").strip()
    if fields.node is not None and not path:
        fields.wrong("path", "the store needs a file", "Write `path: requests.db` below `store`, or remove the store.")
    return Store(path, fields.value("maxAge"), fields.value("maxSize"), fields.value("captures"))


def read_shelves(document: Fields) -> tuple[Shelf, ...]:
    """Each with the file that names it: of several files, each may name some."""
    shelves = []
    for number, word in enumerate(document.value("discover")):
        item = at(document.get("discover"), number)
        assert item is not None
        if word.strip():
            shelves.append(Shelf(word.strip(), item.place.file))
        else:
            path = f"discover[{number}]"
            document.report.warn(item.place, path, "an empty entry has no effect", "Name a folder, or remove it.")
    return tuple(dict.fromkeys(shelves))


def read_kept(document: Fields) -> int:
    value: int = document.value("metricsMaxInMemory")
    return value if value > 0 else KEPT


def tell(fields: Fields, name: str, number: int, message: str, remedy: str) -> None:
    """At one entry of a list."""
    item = at(fields.get(name), number)
    place = item.place if item else Place("", 0, 0)
    fields.report.wrong(place, f"{fields.path}.{name}[{number}]".lstrip("."), message, remedy)
