"""Sentences that a person can act on, and how an end reads."""

from __future__ import annotations

import errno
import os

import pytest

from llamaswap_py.launchers.child import Exit
from llamaswap_py.launchers.refusals import sentence


@pytest.mark.parametrize(
    ("step", "number", "words"),
    [
        ("fork", errno.EAGAIN, "limit on processes"),
        ("keeper", 0, "Try again"),
        ("cwd", errno.ENOENT, "'/place' cannot be entered"),
        ("exec", errno.ELOOP, "cannot be run"),
    ],
)
def test_each_step_has_its_sentence(step: str, number: int, words: str) -> None:
    """The step that failed decides what to say, and the system's own word is in it where it helps."""
    said = sentence({"step": step, "errno": number, "text": os.strerror(number)}, ["server"], "/place")
    assert words in said


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (Exit(code=3), "exit code 3"),
        (Exit(signal=9), "SIGKILL (9)"),
        (Exit(signal=99), "a signal (99)"),
        (Exit(), "its keeper"),
    ],
)
def test_an_end_reads_as_a_noun(ending: Exit, text: str) -> None:
    """It stands behind "ended with"."""
    assert str(ending) == text
