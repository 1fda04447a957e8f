"""`python -m tests.whole.soak`: what scripts/soak.sh runs. Ends with 1 on a breach."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
from pathlib import Path

from tests.whole.soak.soak import Soak, Verdict


def say(line: str) -> None:
    print(line, flush=True)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak.sh", description="Random faults, and invariants only.")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default 30)")
    parser.add_argument("--seed", type=int, default=None, help="repeat the troubles of another soak")
    parser.add_argument("--json", type=Path, default=None, help="write the verdict into this file")
    return parser.parse_args()


def tell(verdict: Verdict) -> None:
    if verdict.breaches:
        say("\nThe program said:")
        say("\n".join(verdict.said))
        say("\nThe last events:")
        say("\n".join(verdict.events))
    say(f"\nseed {verdict.seed}, {verdict.seconds:.0f} s, disk: {verdict.disk}")
    say(f"{verdict.requests} requests: {verdict.outcomes}")
    say(f"{sum(verdict.troubles.values())} troubles: {verdict.troubles}")
    say(f"{verdict.rows} rows; the longest request took {verdict.longest:.1f} s; /health {verdict.health}")
    say(f"at the beginning {verdict.before}\nin the end       {verdict.after}\nits keeper       {verdict.keeper_after}")
    say("\n".join(f"BREACH {each}" for each in verdict.breaches) or "Every promise was kept.")


def main() -> int:
    if not sys.platform.startswith("linux"):
        say("A soak looks at processes through /proc: it needs Linux.")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the program under test ends with it
    asked = options()
    seed = random.randrange(1 << 31) if asked.seed is None else asked.seed
    say(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = asyncio.run(soaked(Path(folder), seed, asked.minutes * 60))
    if asked.json:
        asked.json.write_text(json.dumps(soak.as_json(), indent=1) + "\n")
    tell(soak)
    return 1 if soak.breaches else 0


async def soaked(folder: Path, seed: int, seconds: float) -> Verdict:
    return await Soak(folder, seed, seconds, say).run()


if __name__ == "__main__":
    sys.exit(main())
