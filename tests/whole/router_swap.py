"""A whole swap here and in llama.cpp's own router: `scripts/swap-dead-time.sh --against-router /path/to/llama-server`.

Both serve the same two tiny models with the same compiled server, one at a time, and are asked in turns, always for the
model that is not there.
"""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.tiny_gguf import Tiny
from tests.whole.program import LONG, Program, config
from tests.whole.talk import CHAT

FLAGS = ("-c", "2048")
NAMES = ("alpha", "beta")
# An engine's threads spin on for some milliseconds behind an answer: they are not to slow down the other one's turn.
REST_SECONDS = 0.05
START_PORT = 16800  # away from the default, where whatever else runs here may look for ports


def swap(port: int, name: str) -> float:
    """Seconds from the request to the end of a short answer."""
    body = {"model": name, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4, "ignore_eos": True}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
    began = time.perf_counter()
    connection.request("POST", CHAT, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    took = time.perf_counter() - began
    connection.close()
    assert response.status == 200, text
    return took


@contextmanager
def router(server: str, models: Path, port: int) -> Iterator[int]:
    """llama-server without a model: one that starts children for the models of a folder."""
    words = (server, "--models-dir", str(models), "--models-max", "1", "--port", str(port), *FLAGS)
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(port):
            assert process.poll() is None, "the router ended"
        yield port
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except ConnectionError:
        return False
    finally:
        connection.close()


def configuration(server: str, models: Path) -> str:
    return config(
        *(
            f"  {name}:\n    cmd: {server} -m {models / name}.gguf --port ${{PORT}} {' '.join(FLAGS)}\n"
            for name in NAMES
        ),
        startPort=START_PORT,
    )


def measure(server: str, swaps: int, port: int, seconds: float) -> dict[str, float]:
    ours: list[float] = []
    theirs: list[float] = []
    rest = threading.Event()
    with tempfile.TemporaryDirectory() as name:
        models = Path(name) / "models"
        models.mkdir()
        for seed, each in enumerate(NAMES):
            Tiny(name=each, seed=seed).write(models / f"{each}.gguf")
        with Program(Path(name), configuration(server, models)) as program, router(server, models, port) as theirs_at:
            here = int(program.url.rpartition(":")[2])
            for n in range(swaps + 2):  # the first two find nothing to put out
                rest.wait(seconds)
                ours.append(swap(here, NAMES[n % 2]))
                rest.wait(seconds)
                theirs.append(swap(theirs_at, NAMES[n % 2]))
    pairs = list(zip(ours[2:], theirs[2:], strict=True))
    return {
        "swaps": swaps,
        "ours_ms": 1000 * statistics.median(one for one, _ in pairs),
        "router_ms": 1000 * statistics.median(other for _, other in pairs),
        "ours_best_ms": 1000 * min(one for one, _ in pairs),
        "router_best_ms": 1000 * min(other for _, other in pairs),
        "ratio": statistics.median(one / other for one, other in pairs),
    }


def report(server: str, swaps: int, port: int, seconds: float, as_json: bool) -> int:
    """`seconds`: between two turns."""
    found = measure(server, swaps, port, seconds)
    text = f"""{found["swaps"]} swaps with {1000 * seconds:.0f} ms before each; medians in ms,
from the request to the end of a short answer:
  here                       {found["ours_ms"]:8.1f}   (best {found["ours_best_ms"]:.1f})
  llama.cpp's own router     {found["router_ms"]:8.1f}   (best {found["router_best_ms"]:.1f})
  ratio                      {found["ratio"]:8.2f}   (must be at most 1)
"""
    sys.stdout.write(json.dumps(found) + "\n" if as_json else text)
    return 0 if found["ratio"] <= 1 else 1
