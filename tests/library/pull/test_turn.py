"""One at a time brings a file, whoever holds the lock and however it ends."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from llamaswap_py.library.pull.turn import turn

HOLDER = """
import sys, pathlib
from llamaswap_py.library.pull.turn import turn
with turn(pathlib.Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_excludes_other_processes_and_its_holders_death_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    looks: list[int] = []
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"

        def rest() -> None:
            looks.append(1)
            if len(looks) == 3:
                holder.kill()
                holder.wait()

        with turn(path, rest):
            assert len(looks) >= 3
    assert not path.exists()


def test_of_many_one_at_a_time_is_in(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(30):
            with turn(tmp_path / "lock", lambda: None):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (120, 1)
