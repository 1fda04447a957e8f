"""`python -m tests.page.types`: what the server says, as TypeScript for the page, written from `server/shapes/`.

`--check` writes nothing and ends with 1 where the file is not what would be written."""

from __future__ import annotations

import pkgutil
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

from llamaswap_py.server import shapes
from llamaswap_py.server.shapes.events import EVENTS

FILE = Path(__file__).parents[2] / "llamaswap_py" / "ui" / "src" / "lib" / "shapes.ts"
HEAD = """\
// What the server says, written from llamaswap_py/server/shapes by `python -m tests.page.types`. Change it there.
"""
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", NoneType: "null", Any: "unknown"}


def typed(kind: Any) -> str:
    """A Python type as TypeScript writes it."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " | ".join(f'"{each}"' for each in inner)
    if origin in (Union, UnionType):
        return " | ".join(dict.fromkeys(map(typed, inner)))
    if origin is list:
        [item] = map(typed, inner)
        return f"({item})[]" if " | " in item else f"{item}[]"
    if origin is dict:
        return f"Record<{', '.join(map(typed, inner))}>"
    return kind.__name__ if is_typeddict(kind) else PLAIN[kind]


def field(name: str, kind: Any) -> str:
    mark = ""
    if get_origin(kind) in (NotRequired, Required):
        mark, [kind] = "?" if get_origin(kind) is NotRequired else "", get_args(kind)
    return f"  {name}{mark}: {named(kind)};"


def named(kind: Any) -> str:
    """By the name that the module gives it, where there is one."""
    return next((name for name, alias in aliases().items() if alias == kind), typed(kind))


@cache
def declared() -> dict[str, Any]:
    """By name, what every file of the folder declares."""
    names = sorted(f"{shapes.__name__}.{module.name}" for module in pkgutil.iter_modules(shapes.__path__))
    found = [(name, import_module(name)) for name in names]
    return {name: each for place, module in found for name, each in vars(module).items() if is_shape(each, place)}


def is_shape(each: Any, place: str) -> bool:
    return get_origin(each) is Literal or (is_typeddict(each) and each.__module__ == place)


def aliases() -> dict[str, Any]:
    return {name: each for name, each in declared().items() if get_origin(each) is Literal}


def interface(shape: Any) -> str:
    hints = get_type_hints(shape, include_extras=True)
    caption = f"/** {' '.join(shape.__doc__.split())} */\n" if shape.__doc__ else ""
    fields = "\n".join(field(name, kind) for name, kind in hints.items())
    return f"{caption}export interface {shape.__name__} {{\n{fields}\n}}\n"


def written() -> str:
    kinds = [each for each in declared().values() if is_typeddict(each)]
    told = "\n".join(f"  {name}: {typed(kind)};" for name, kind in EVENTS.items())
    parts = [
        HEAD,
        *(f"export type {name} = {typed(kind)};\n" for name, kind in aliases().items()),
        *map(interface, kinds),
        f"/** By the `type` of an event, what its `data` holds. */\nexport interface Events {{\n{told}\n}}\n",
    ]
    return "\n".join(parts)


def main(words: list[str]) -> int:
    text = written()
    if words == ["--check"]:
        return int(not FILE.exists() or FILE.read_text("utf-8") != text)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
