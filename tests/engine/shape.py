"""What an answer looks like, whatever it says: the types of its values and the names of its keys. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Shape = Any  # as JSON: the name of a type, {key: shape}, or [shapes of the items, each once]

SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(\{.*\})? [-+.\w]+$", re.MULTILINE)


def shape(value: object) -> Shape:
    """A number is one kind: whether it has a point depends on what it says."""
    if isinstance(value, Mapping):
        return {key: shape(each) for key, each in sorted(value.items())}
    if isinstance(value, list | tuple):
        return once(shape(item) for item in value)
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "null" if value is None else "string"


def once(shapes: Iterable[Shape]) -> list[Shape]:
    """In an order of their own, so that it says nothing."""
    found = {json.dumps(each, sort_keys=True): each for each in shapes}
    return [found[name] for name in sorted(found)]


def answer(status: int, content_type: str, text: str) -> Shape:
    """Of a whole HTTP answer. Of a stream, each shape of event counts once: how many there are is chance."""
    kind = content_type.partition(";")[0].strip()
    if kind == "application/json":
        body = shape(json.loads(text))
    elif kind == "text/event-stream":
        ends = "[DONE]" if text.rstrip().endswith("data: [DONE]") else "closed"
        body = {"events": once(events(text)), "ends": ends}
    elif kind == "text/plain" and "# TYPE" in text:
        body = {"samples": sorted({match[1] for match in SAMPLE.finditer(text)})}
    else:
        body = "text" if text else "nothing"
    return {"status": status, "type": kind, "body": body}


def events(text: str) -> Iterable[Shape]:
    """The name, where one is given, and the shape of the data."""
    for block in re.split(r"\r?\n\r?\n", text):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines() if not line.startswith(":"))
        data = fields.get("data", "")
        if data.startswith("{"):
            yield {fields.get("event", "data"): shape(json.loads(data))}


def differences(one: Shape, other: Shape, at: str = "") -> list[str]:
    """Where the two are not the same: `path: this, not that`."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in sorted({*one, *other}):
            path = f"{at}.{key}" if at else str(key)
            if key not in other:
                found.append(f"{path}: only the first has it")
            elif key not in one:
                found.append(f"{path}: only the second has it")
            else:
                found += differences(one[key], other[key], path)
        return found
    if isinstance(one, list) and isinstance(other, list):
        if len(one) == len(other) == 1:
            return differences(one[0], other[0], f"{at}[]")
        mine, theirs = ([each for each in these if each not in those] for these, those in ((one, other), (other, one)))
        return [f"{at}[]: {brief(mine)}, not {brief(theirs)}"] if mine or theirs else []
    return [] if one == other else [f"{at}: {brief(one)}, not {brief(other)}"]


def brief(value: Shape) -> str:
    return json.dumps(value, sort_keys=True)
