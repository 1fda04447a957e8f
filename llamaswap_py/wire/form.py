"""URL-encoded texts, queries and form bodies: find a field, or give it another value; all else stays as it came."""

from __future__ import annotations

from urllib.parse import quote_plus, unquote_plus


def read(text: str) -> dict[str, str]:
    """Every field by its name; of repeated ones the first counts, as in Go."""
    fields: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if name:
            fields.setdefault(unquote_plus(name), unquote_plus(value))
    return fields


def with_field(text: str, name: str, value: str) -> str:
    """The same text where every field of that name has this value; none is added."""
    pairs = text.split("&")
    return "&".join(f"{name}={quote_plus(value)}" if is_called(pair, name) else pair for pair in pairs)


def is_called(pair: str, name: str) -> bool:
    return unquote_plus(pair.partition("=")[0]) == name
