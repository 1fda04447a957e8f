"""Colours where a person looks at a terminal, and none where a program reads a pipe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

RED, YELLOW, GREEN, BOLD, DIM = "31;1", "33;1", "32", "1", "2"


class Paint:
    def __init__(self, stream: TextIO, env: Mapping[str, str] = os.environ) -> None:
        """$NO_COLOR and a dumb terminal switch colours off, $FORCE_COLOR switches them on."""
        shown = stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"
        self.on = shown or bool(env.get("FORCE_COLOR"))

    def __call__(self, text: str, colour: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self.on and text else text
