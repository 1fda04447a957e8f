"""The end of whoever started us is noticed."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from llamaswap_py.engine import parent

if sys.platform == "win32":
    pytest.skip("there, a process has no parent to follow", allow_module_level=True)


def test_the_end_of_a_process_is_told() -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    ended = threading.Event()
    parent.watch(other.pid, ended.set)
    assert not ended.is_set()
    other.communicate(b"\n")
    assert ended.wait(30)


def test_a_process_that_is_over_already_is_no_reason_to_wait() -> None:
    other = subprocess.Popen([sys.executable, "-c", ""])
    other.wait()
    parent.wait_for_end(other.pid)


def test_init_is_not_followed() -> None:
    before = threading.active_count()
    parent.watch(1, sys.exit)
    assert threading.active_count() == before
