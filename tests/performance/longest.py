"""The longest callback of the proxy's loop, in processor time.

The program runs as always, but its thread tells of every call and return; that makes callbacks up to some times longer
than they are, so what is found is a bound: `python -m tests.performance.longest FILE python -m llamaswap_py …` is that
program, and FILE gets the figure and where it was."""

from __future__ import annotations

import asyncio
import atexit
import runpy
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from tests.performance import works
from tests.performance.contestants import Contestant, free_port, module, settings
from tests.whole.program import Program

STARTED = 2.0  # seconds until the start is over: it is not what is looked at
LOOP = asyncio.Runner.run.__code__  # whoever is called from here is called by the loop


class Watch:
    """Of what the loop calls, the longest."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.where = ""
        self.began = 0.0

    def begin(self) -> None:
        self.began = time.thread_time()
        sys.setprofile(self.heard)

    def heard(self, frame: FrameType, event: str, _: object) -> None:
        above = frame.f_back
        if above is None or above.f_code is not LOOP:
            return
        if event == "call":
            self.began = time.thread_time()
        elif event == "return" and (took := time.thread_time() - self.began) > self.longest:
            self.longest, self.where = took, frame.f_code.co_qualname


def run() -> None:
    """Run the program under watch."""
    import uvloop

    watch = Watch()
    made = uvloop.new_event_loop

    def new_event_loop() -> asyncio.AbstractEventLoop:
        loop = made()
        loop.call_later(STARTED, watch.begin)
        return loop

    uvloop.new_event_loop = new_event_loop  # type: ignore[assignment]
    found = Path(sys.argv[1])
    sys.argv[1:] = sys.argv[sys.argv.index("llamaswap_py") + 1 :]
    atexit.register(lambda: found.write_text(f"{watch.longest} {watch.where}"))
    runpy.run_module("llamaswap_py", run_name="__main__")


def longest_callback(rounds: int) -> tuple[float, str]:
    """Milliseconds, and of what."""
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
        seconds, _, where = (folder / "longest").read_text().partition(" ")
        return 1000 * float(seconds), where


if __name__ == "__main__":
    run()
