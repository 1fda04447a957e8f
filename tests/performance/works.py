"""What each contestant is made to do, and what it cost: one function for each kind of work, one `Cost` each."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from tests.performance.contestants import Contestant

PAUSE = 0.005  # seconds, between one answer and the next request: a low load

POST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"m","messages":[{"role":"user","content":"Say a few words, please."}]}'
"""


@dataclass(frozen=True)
class Cost:
    """Of one unit of work: microseconds of processor time; and units in a second."""

    micros: float
    rate: float
    memory: float = 0.0


def requests(of: Contestant, seconds: float, connections: int = 8) -> Cost:
    """Small chat requests over connections that stay open."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(POST)
        script.flush()
        url = f"http://{of.address}/v1/chat/completions"
        words = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", script.name, url]
        before = of.cpu()
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        used = of.cpu() - before
    done = re.search(r"(\d+) requests in", told)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert done is not None, told
    assert rate is not None, told
    assert "Non-2xx" not in told, told
    assert "Socket errors" not in told, told
    return Cost(1e6 * used / int(done[1]), float(rate[1]))


def load(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.performance.load", *words], stdout=subprocess.PIPE)


def streams(of: Contestant, count: int, events: int, rate: float) -> Cost:
    """So many streams at once; memory is looked at in their middle."""
    before = of.cpu()
    callers = load("streams", of.address, f"--count={count}", f"--events={events}", f"--rate={rate}")
    assert callers.stdout is not None
    callers.stdout.readline()  # half of the events have come
    memory = of.memory()
    told, _ = callers.communicate()
    used = of.cpu() - before
    assert callers.returncode == 0, f"{of.name}: the callers failed"
    seen = json.loads(told)
    sent = count * events
    # A proxy that makes chunks of its own may cut through the beginning of an event, which then is not counted.
    assert 0.95 * sent < seen["events"] <= sent, f"{of.name}: {seen['events']} of {sent} events came"
    return Cost(1e6 * used / sent, sent / seen["seconds"], memory)


def first_bytes(of: Contestant, count: int, pause: float = 0.0) -> dict[str, float]:
    told, _ = load("first-byte", of.address, f"--count={count}", f"--pause={pause}").communicate()
    found: dict[str, float] = json.loads(told)
    return found
