"""The longest turn of the proxy's loop, in processor time: no callback in it can have been longer.

The program runs as always, with one more callback on its loop that looks at the thread's clock a thousand times a
second: `python -m tests.performance.longest FILE python -m llamaswap_py …` is that program."""

from __future__ import annotations

import asyncio
import atexit
import runpy
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.performance import works
from tests.performance.contestants import Contestant, free_port, module, settings
from tests.whole.program import Program

EVERY = 0.001


class Watch:
    """Between two of its looks lies at least one turn of the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.longest = 0.0
        self.last = time.thread_time()
        self.look()

    def look(self) -> None:
        now = time.thread_time()
        self.longest = max(self.longest, now - self.last)
        self.last = now
        self.loop.call_later(EVERY, self.look)


def run() -> None:
    """Run the program with a watch on its loop, which begins when the program listens."""
    import uvloop

    watches: list[Watch] = []
    made = uvloop.new_event_loop

    def new_event_loop() -> asyncio.AbstractEventLoop:
        loop = made()
        loop.call_later(2.0, lambda: watches.append(Watch(loop)))
        return loop

    uvloop.new_event_loop = new_event_loop  # type: ignore[assignment]
    found = Path(sys.argv[1])
    sys.argv[1:] = sys.argv[sys.argv.index("llamaswap_py") + 1 :]
    atexit.register(lambda: found.write_text(str(max((watch.longest for watch in watches), default=0.0))))
    runpy.run_module("llamaswap_py", run_name="__main__")


def longest_callback(rounds: int) -> float:
    """Milliseconds."""
    with ExitStack() as stack:
        upstream = free_port()
        stack.enter_context(module("tests.performance.upstream", port=upstream))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        watched = Program(folder, settings(upstream, 100), watch=False)
        watched.wrapped = (sys.executable, "-m", "tests.performance.longest", str(folder / "longest"))
        with watched as program:
            ours = Contestant("ours", program.url.removeprefix("http://"), (program.process.pid,))
            works.requests(ours, 2.0)
            for _ in range(rounds):
                works.streams(ours, 1000, 20, 5)
                works.streams(ours, 200, 100, 0)
        return 1000 * float((folder / "longest").read_text())


if __name__ == "__main__":
    run()
