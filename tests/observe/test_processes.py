"""What processes take, and whose they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from llamaswap_py.observe.processes import Trees

WAITS = "import sys; sys.stdin.read()"


@contextmanager
def server() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE) as process:
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


def test_an_old_servers_processes_are_looked_for_now_and_then_and_a_new_ones_at_once() -> None:
    trees = Trees()
    with server() as one, server() as other:
        looks = [trees.of({"a": one}) for _ in range(2 * Trees.EACH + 1)]
        assert all(look == {"a": {one}} for look in looks)
        kept = [look is looks[Trees.EACH] for look in looks[Trees.EACH :]]
        assert kept == [True] * Trees.EACH + [False]
        assert trees.of({"a": one, "b": other}) == {"a": {one}, "b": {other}}
    assert trees.of({}) == {}
