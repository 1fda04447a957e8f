"""Plain values to YAML text that is read back as the same values, by us and by llama-swap."""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from llamaswap_py.config.scalars import resolve

WORDS = re.compile(r"[A-Za-z/][A-Za-z0-9_./ -]*")  # may stand without quotes if it is no other kind of word
# Several lines that a block keeps as they are: no space at their ends, which is easily lost, no indent in the first.
BLOCK = re.compile(r"[!-~](?:[ -~]*[!-~])?(?:\n(?:[ -~]*[!-~])?)*\n[ -~]*[!-~]\n?")


class Writer(yaml.SafeDumper):
    """Block style, in the order given; nothing is abbreviated by anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def text(writer: Writer, value: str) -> yaml.ScalarNode:
    """Several lines as a block; quotes around all that could be taken for something else in any YAML."""
    style = None if WORDS.fullmatch(value) and isinstance(resolve(value), str) else '"'
    return writer.represent_scalar("tag:yaml.org,2002:str", value, style="|" if BLOCK.fullmatch(value) else style)


def number(writer: Writer, value: float) -> yaml.ScalarNode:
    if math.isinf(value):
        return writer.represent_scalar("tag:yaml.org,2002:float", ".inf" if value > 0 else "-.inf")
    written = repr(value)
    if "." not in written:  # without a point it is a text in YAML 1.1
        written = written.replace("e", ".0e")
    return writer.represent_scalar("tag:yaml.org,2002:float", written)


Writer.add_representer(str, text)
Writer.add_representer(float, number)


class ShortLists(Writer):
    """Lists of single words in brackets, as people write them."""


def brackets(writer: Writer, value: list[Any]) -> yaml.SequenceNode:
    return writer.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=all(map(is_short, value)))


def is_short(value: Any) -> bool:
    return not isinstance(value, (list, dict)) and len(str(value)) <= SHORT and "\n" not in str(value)


SHORT = 40
ShortLists.add_representer(list, brackets)


def dump(document: dict[str, Any], indent: int = 2, writer: type[Writer] = Writer) -> str:
    written = yaml.dump(
        document,
        Dumper=writer,
        sort_keys=False,
        allow_unicode=True,
        width=math.inf,
        default_flow_style=False,
        indent=indent,
    )
    assert isinstance(written, str)
    return written
