"""What a line of a model's server costs the proxy, with log files and without: `python -m tests.whole.log_cost`.

Both in one run, in turns. The lines are printed before the model is ready, as fast as they are taken."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.whole.asking import caller
from tests.whole.faults.crowd import cpu
from tests.whole.program import Program, config
from tests.whole.talk import CHAT, chat_body
from tests.whole.test_log_files import files, loud

LINES = 1_000_000
ROUNDS = 3


def took(count: int, with_files: bool) -> tuple[float, float]:
    """Seconds of the proxy's processor, and of the clock, until the model was ready."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = (files(folder / "logs") if with_files else "") + config(loud(folder, count))
        with Program(folder, text, watch=False) as program, caller(program) as client:
            spent, began = cpu(program), time.monotonic()
            client.post(CHAT, json=chat_body("loud", "hello")).raise_for_status()
            return cpu(program) - spent, time.monotonic() - began


def main() -> None:
    for with_files in (False, True):
        rounds = [(took(LINES, with_files), took(500, with_files)) for _ in range(ROUNDS)]
        spent = statistics.median(many[0] - few[0] for many, few in rounds)
        wall = statistics.median(many[1] - few[1] for many, few in rounds)
        sys.stdout.write(
            f"{'with' if with_files else 'without'} files: {spent / LINES * 1e6:.2f} µs of processor a line,"
            f" {LINES / wall:,.0f} lines a second\n"
        )


if __name__ == "__main__":
    main()
