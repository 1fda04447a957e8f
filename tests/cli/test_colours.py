"""Colours for a terminal, none for a pipe."""

from __future__ import annotations

import io

import pytest

from llamaswap_py.cli.terminal.colours import RED, Paint


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "env", "on"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
    ],
)
def test_colours_are_shown_where_a_person_looks(stream: io.StringIO, env: dict[str, str], on: bool) -> None:
    painted = Paint(stream, env)("word", RED)
    assert painted == ("\033[31;1mword\033[0m" if on else "word")


def test_nothing_is_not_painted() -> None:
    assert Paint(Terminal(), {})("", RED) == ""
