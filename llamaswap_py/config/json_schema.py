"""The table of keys as a JSON Schema, for editors that complete and underline."""

from __future__ import annotations

from typing import Any

from llamaswap_py.config.schema import ANY_NAME, BY_PATH, KEYS_IN, SAME, Key, Kind

MACRO = r"^.*\$\{.+\}.*$"  # any value may be one
DURATION = r"^[-+]?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+$"
SIZE = r"^[0-9]+ *[kKmMgG]?(i?[bB])?$"
TEXT: dict[str, Any] = {"type": ["string", "number", "boolean", "null"]}
WHOLE: dict[str, Any] = {"type": ["integer", "null"]}
FREE: dict[str, Any] = {"type": ["object", "null"]}

Schema = dict[str, Any]


def schema() -> Schema:
    """Of a whole file."""
    whole = section("", "")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "llamaswap configuration",
        **whole,
        "patternProperties": {"^x-": True},
    }


def section(path: str, shown: str) -> Schema:
    """A mapping of known keys; `shown` is the path whose key explains it."""
    found: Schema = {"type": ["object", "null"]} | about(BY_PATH.get(shown))
    if ANY_NAME in KEYS_IN[path]:
        inner = f"{path}.{ANY_NAME}"
        return found | {"additionalProperties": section(inner, inner)}
    keys = {name: value(key) for name, key in KEYS_IN[path].items() if name != ANY_NAME}
    return found | {"properties": keys, "additionalProperties": False}


def value(key: Key) -> Schema:
    place = SAME.get(key.path, key.path)
    if place in KEYS_IN:
        return section(place, key.path)
    return kind(key) | about(key)


def about(key: Key | None) -> Schema:
    if key is None:
        return {}
    default = list(key.default) if isinstance(key.default, tuple) else key.default
    return {"description": key.about} | ({} if default is None else {"default": default})


def kind(key: Key) -> Schema:
    bounds = {"minimum": key.least, "maximum": key.most}
    whole = WHOLE | {name: bound for name, bound in bounds.items() if bound is not None}
    shapes: dict[Kind, Schema] = {
        Kind.TEXT: TEXT,
        Kind.TEXTS: {"type": ["array", "null"], "items": TEXT},
        Kind.FLAG: {"type": ["boolean", "string", "null"]},
        Kind.WHOLE: either(whole, MACRO),
        Kind.SECONDS: either(whole, DURATION, MACRO),
        Kind.SPAN: either({"type": ["number", "string", "null"]}),
        Kind.SIZE: either(whole, SIZE, MACRO),
        Kind.WORD: either({"enum": [*key.words, *([key.default] if key.default == "" else []), None]}, MACRO),
        Kind.MACROS: FREE | {"additionalProperties": {"type": ["string", "number", "boolean"]}},
        Kind.NAMES: FREE | {"additionalProperties": TEXT},
        Kind.COUNTS: FREE | {"additionalProperties": whole},
        Kind.OBJECT: FREE,
        Kind.OBJECTS: FREE | {"additionalProperties": FREE},
        Kind.OPEN: {},
    }
    if key.lenient:
        return {"type": ["string", "null"], "examples": list(key.words)}
    return dict(shapes[key.kind])


def either(first: Schema, *patterns: str) -> Schema:
    if not patterns:
        return first
    return {"anyOf": [first, *({"type": "string", "pattern": pattern} for pattern in patterns)]}
