"""Short ways to read a text and look at what came of it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from llamaswap_py.config.read import Source, read
from llamaswap_py.config.report import Report
from llamaswap_py.config.tree import Map, Node
from llamaswap_py.config.values import Config, Model
from llamaswap_py.config.yaml import parse
from llamaswap_py.errors import ConfigError, Mistake

FILE = "config.yaml"


def source(text: str, path: str = FILE) -> Source:
    return Source(path, textwrap.dedent(text))


def config(text: str, env: Mapping[str, str] | None = None) -> Config:
    """A text that must be free of mistakes and of warnings, but for those about what is not built yet."""
    reading = read([source(text)], env or {})
    assert serious(reading.warnings) == []
    return reading.config


def serious(found: Iterable[Mistake]) -> list[Mistake]:
    return [each for each in found if "does not act on" not in each.message]


def read_loosely(text: str) -> Config:
    """A text that may bring warnings."""
    return read([source(text)], {}).config


def model(text: str) -> Model:
    """The only model of a text."""
    (found,) = config(text).models.values()
    return found


def mistakes(*texts: str, env: Mapping[str, str] | None = None) -> list[Mistake]:
    """What is wrong; several texts are the files a.yaml, b.yaml ..."""
    paths = [FILE] if len(texts) == 1 else [f"{chr(97 + number)}.yaml" for number in range(len(texts))]
    try:
        read([source(text, path) for text, path in zip(texts, paths, strict=True)], env or {})
    except ConfigError as error:
        return list(error.mistakes)
    return []


def mistake(*texts: str, env: Mapping[str, str] | None = None) -> Mistake:
    """The only thing that is wrong."""
    (found,) = mistakes(*texts, env=env)
    return found


def warnings(text: str) -> list[Mistake]:
    return list(read([source(text)], {}).warnings)


def warning(text: str) -> Mistake:
    """The only one that is not about what is not built yet."""
    (found,) = serious(warnings(text))
    return found


def tree(text: str) -> Node:
    """A text as nodes; it must be readable."""
    written = source(text)
    report = Report([written])
    found = parse(written, report)
    assert found is not None
    assert not report.mistakes
    return found


def mapping(text: str) -> Map:
    found = tree(text)
    assert isinstance(found, Map)
    return found
