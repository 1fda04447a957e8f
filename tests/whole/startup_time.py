"""How long the program takes from its start until it listens: `scripts/startup-time.sh`.

The measure is Python itself importing aiohttp's server, which any program like this one has to do. All are started in
turns, so that all meet the same machine, and a program that has written its byte code once (a warm start) is compared
with another one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "start-server.sh"
PROGRAM = (sys.executable, "-m", "llamaswap_py")
REFERENCE = "import aiohttp.web"
LISTENING = re.compile(rb"listening on http://")
MODELS = (1, 100, 1000)
MANY = "1000 models, by 1 model"
# What each may take, as a multiple of the reference; the last one of a start with a single model.
LIMITS = {
    "--version": 0.6,
    "1 model": 2.0,
    "100 models": 2.0,
    "1000 models": 2.0,
    "start-server.sh": 3.0,
    MANY: 1.2,
}


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds: on the clock, and of a processor (where the system tells; the keeper is not part of it)."""

    wall: float
    cpu: float


def environment(folder: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**env, "PYTHONUNBUFFERED": "1", "XDG_STATE_HOME": str(folder / "state"), "LLAMASWAP_BUILD_PAGE": "no"}


def to_the_end(words: tuple[str, ...], env: Mapping[str, str]) -> Took:
    began = time.perf_counter()
    process = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return Took(wall, usage.ru_utime + usage.ru_stime)


def to_listening(words: tuple[str, ...], env: Mapping[str, str]) -> Took:
    began = time.perf_counter()
    process = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if LISTENING.search(line):
            break
    took = Took(time.perf_counter() - began, cpu_of(process.pid))
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert any(LISTENING.search(line) for line in said), b"".join(said).decode()
    return took


def cpu_of(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


def configured(folder: Path, models: int) -> str:
    path = folder / f"{models}.yaml"
    rows = [
        f"  model-{n}:\n    cmd: llama-server -m /models/{n}.gguf -c 4096 --port ${{PORT}}\n    aliases: [m{n}]\n"
        f"    ttl: 60\n"
        for n in range(models)
    ]
    path.write_text("models:\n" + "".join(rows))
    return f"--config={path}"


def measure(rounds: int, script: bool = False) -> dict[str, list[Took]]:
    """Of each, what it took in each round; one more round goes before, for byte code and the system's caches."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = environment(folder)
        here = ("--listen=127.0.0.1:0", f"--state-dir={folder / 'state'}")
        starts: dict[str, tuple[str, ...]] = {
            f"{count} model{'s' * (count > 1)}": (*PROGRAM, configured(folder, count), *here) for count in MODELS
        }
        if script:
            starts["start-server.sh"] = (str(SCRIPT), f"--listen={here[0].partition('=')[2]}", here[1])
        found: dict[str, list[Took]] = {}
        for _ in range(rounds + 1):
            found.setdefault("reference", []).append(to_the_end((sys.executable, "-c", REFERENCE), env))
            found.setdefault("--version", []).append(to_the_end((*PROGRAM, "--version"), env))
            for each, words in starts.items():
                found.setdefault(each, []).append(to_listening(words, env))
        return {each: all_of[1:] for each, all_of in found.items()}


def ratios(found: Mapping[str, list[Took]]) -> dict[str, float]:
    """The median over the rounds of what each took, by what the reference took in the same round."""

    def ratio(name: str, base: str) -> float:
        pairs = zip(found[name], found[base], strict=True)
        return statistics.median(one.wall / other.wall for one, other in pairs)

    return {name: ratio(name, "reference") for name in found} | {MANY: ratio("1000 models", "1 model")}


def main() -> int:
    options = argparse.ArgumentParser(prog="startup-time.sh", description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--script", action="store_true", help="measure scripts/start-server.sh of this checkout, too")
    options.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = options.parse_args()
    found = measure(chosen.rounds, chosen.script)
    by_name = ratios(found)
    rows = {
        name: {
            "wall_ms": 1000 * statistics.median(took.wall for took in each),
            "cpu_ms": 1000 * statistics.median(took.cpu for took in each),
            "ratio": by_name[name],
        }
        for name, each in found.items()
    }
    if chosen.json:
        print(json.dumps(rows))
    else:
        print(f"{chosen.rounds} rounds, medians; the reference is python -c '{REFERENCE}':")
        for name, row in rows.items():
            limit = f"   (at most {LIMITS[name]})" if name in LIMITS else ""
            print(f"  {name:16} {row['wall_ms']:7.0f} ms, cpu {row['cpu_ms']:5.0f} ms, x {row['ratio']:.2f}{limit}")
        print(f"  {MANY}: x {by_name[MANY]:.2f}   (at most {LIMITS[MANY]})")
    return 0 if all(by_name[name] <= limit for name, limit in LIMITS.items() if name in by_name) else 1


if __name__ == "__main__":
    sys.exit(main())
