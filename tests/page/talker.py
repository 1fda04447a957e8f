"""A server that talks: starts the command that follows the rate, and beside it prints a few odd lines, then so many
numbered ones a second. The server itself is silent, or its words would land in the middle of a line."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress

ODD = (
    "<img src=nowhere onerror=document.title=1><b>markup</b>",
    "[ERROR] no memory left",
    "\tat the place where it happened",
    "\x1b[33mWARN\x1b[0m half of it is \x1b[1;32mleft\x1b[0m",
    "loading 10 %\rloading 100 %",
)


def main(rate: float, command: list[str]) -> int:
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print("\n".join(ODD), flush=True)  # noqa: T201
    began, said = time.monotonic(), 0
    while server.poll() is None:
        due = int((time.monotonic() - began) * rate)
        sys.stdout.write("".join(f"number {number} of a server that talks\n" for number in range(said, due)))
        sys.stdout.flush()
        said = due
        with suppress(subprocess.TimeoutExpired):
            server.wait(0.01)
    return server.returncode


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
