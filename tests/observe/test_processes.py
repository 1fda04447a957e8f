"""What processes take, and whose they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from llamaswap_py.observe.processes import Trees, taken, used, used_anywhere

WAITS = "import sys; sys.stdin.read()"


@contextmanager
def server() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE) as process:
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


def test_what_this_systems_table_says_is_what_the_portable_way_finds() -> None:
    """Of one that works, and has memory: not of one that might as well be empty."""
    work = "import sys; kept = bytearray(40_000_000); sum(range(10_000_000)); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        (memory, seconds), (same_memory, same_seconds) = used(process.pid), used_anywhere(process.pid)
        assert memory > 40_000_000
        assert seconds > 0.05
        assert abs(memory - same_memory) < 1_000_000
        assert abs(seconds - same_seconds) < 0.05
        assert taken([process.pid]).processes == 1
        process.communicate()
    assert taken([process.pid]) == (0, 0.0, 0)


def test_an_old_servers_processes_are_looked_for_now_and_then_and_a_new_ones_at_once() -> None:
    trees = Trees()
    with server() as one, server() as other:
        looks = [trees.of({"a": one}) for _ in range(2 * Trees.EACH + 1)]
        assert all(look == {"a": {one}} for look in looks)
        kept = [look is looks[Trees.EACH] for look in looks[Trees.EACH :]]
        assert kept == [True] * Trees.EACH + [False]
        assert trees.of({"a": one, "b": other}) == {"a": {one}, "b": {other}}
    assert trees.of({}) == {}
