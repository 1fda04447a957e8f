"""Our end of the program that looks at the cards. Called in a thread: asking waits, for so long and no longer."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, Any

LONGEST_LINE = 4 * 1024 * 1024


class Failed(Exception):  # a value that travels upwards, not a defect
    """There is no answer, and why."""


def command(kind: str) -> tuple[str, ...]:
    return sys.executable, "-m", "llamaswap_py.observe.gpu.look", kind


class Link:
    """One life of the program. `OSError` where it cannot be begun."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=sys.platform != "win32",  # what is typed at a terminal is not for it
        )
        assert self.process.stdout is not None
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self.read_on, args=(self.process.stdout,), name="gpu answers", daemon=True).start()

    def read_on(self, output: IO[bytes]) -> None:
        """Nothing, at its end."""
        with output:
            while line := output.readline(LONGEST_LINE):
                self.lines.put(line)
        self.lines.put(b"")

    @property
    def over(self) -> bool:
        return self.process.poll() is not None

    def ask(self, seconds: float) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(b"look\n")
            self.process.stdin.flush()
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise Failed(f"no answer within {seconds:g} s") from None
        except OSError as error:
            raise Failed(f"the program that asks has ended: {error}") from error
        if not line:
            self.lines.put(line)  # that is the last word, however often it is asked
            raise Failed("the program that asks has ended")
        return answer_of(line)

    def end(self, seconds: float = 0.0) -> None:
        """It may stay, where the driver holds it; whoever comes next looks at `over`."""
        self.process.kill()
        with contextlib.suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)


def answer_of(line: bytes) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise Failed("the answer is no JSON") from None
    if not isinstance(told, dict) or not all(isinstance(told.get(name, []), list) for name in ("cards", "lost")):
        raise Failed("the answer has another shape")
    if "failed" in told:
        raise Failed(str(told["failed"])[:500])
    return told
