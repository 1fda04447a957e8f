"""How much a swap costs beyond what the engines themselves need: `scripts/swap-dead-time.sh`.

Two models that exclude each other are asked in turns. From each answer's time to its first byte is taken what the
engine needs by itself from its start to the first byte of the same answer, and what the old one needs to die: both
without a proxy, right after the swap, so that all meet the same machine. By itself it is asked for its health in the
same rhythm as by the proxy: who asks without a pause takes the processor from the engine that is to start.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from llamaswap_py.runtime.health import pause
from tests.whole import router_swap
from tests.whole.program import FAKE, Program, config, model
from tests.whole.talk import CHAT, chat_body

LIMIT_MS = 10.0


def first_byte(url: str, name: str) -> float:
    """Seconds from the request to the answer's first byte."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    body = json.dumps(chat_body(name, "hello"))
    began = time.perf_counter()
    connection.request("POST", CHAT, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read(1)
    took = time.perf_counter() - began
    assert response.status == 200, response.read()
    response.read()
    connection.close()
    return took


def healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except ConnectionError:
        return False
    finally:
        connection.close()


def engine_alone(port: int) -> tuple[float, float]:
    """Seconds from its start to the first byte of an answer, asked for once it is healthy; and from SIGTERM to its
    end."""
    nothing = threading.Event()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-S", FAKE, "--port", str(port), "--alias", "alone"], stderr=subprocess.DEVNULL
    )
    while not healthy(port):
        nothing.wait(pause(time.perf_counter() - began))
    probed = time.perf_counter() - began
    started = probed + first_byte(f"http://127.0.0.1:{port}", "alone")
    asked = time.perf_counter()
    process.terminate()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # `wait` would look only now and then
    stopped = time.perf_counter() - asked
    process.wait()
    return started, stopped


def measure(swaps: int, port: int) -> dict[str, float]:
    totals, starts, stops, dead = [], [], [], []
    with tempfile.TemporaryDirectory() as folder, Program(Path(folder), config(model("a"), model("b"))) as program:
        first_byte(program.url, "b")
        for n in range(swaps):
            totals.append(first_byte(program.url, "ab"[n % 2]))
            started, stopped = engine_alone(port)
            starts.append(started)
            stops.append(stopped)
            dead.append(totals[-1] - started - stopped)
    swap, start, stop, lost = (1000 * statistics.median(times) for times in (totals, starts, stops, dead))
    return {"swaps": swaps, "swap_ms": swap, "start_ms": start, "stop_ms": stop, "dead_ms": lost}


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--swaps", type=int, default=50)
    options.add_argument("--port", type=int, default=5799, help="where the engine alone listens")
    options.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    options.add_argument("--against-router", metavar="LLAMA_SERVER", help="compare whole swaps with llama.cpp's router")
    rest = f"seconds between two turns of that comparison (default {router_swap.REST_SECONDS:g})"
    options.add_argument("--rest", type=float, default=router_swap.REST_SECONDS, metavar="SECONDS", help=rest)
    chosen = options.parse_args()
    if chosen.against_router:
        return router_swap.report(chosen.against_router, chosen.swaps, chosen.port, chosen.rest, chosen.json)
    found = measure(chosen.swaps, chosen.port)
    if chosen.json:
        print(json.dumps(found))
    else:
        print(f"{found['swaps']} swaps, medians in ms:")
        print(f"  request to first byte      {found['swap_ms']:8.1f}")
        print(f"  engine's start, by itself  {found['start_ms']:8.1f}")
        print(f"  engine's end, by itself    {found['stop_ms']:8.1f}")
        print(f"  dead time                  {found['dead_ms']:8.1f}   (must be under {LIMIT_MS:.0f})")
    return 0 if found["dead_ms"] < LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
