"""The program that looks at the cards: `python -m llamaswap_py.observe.gpu.look nvidia`. A line in, a line of JSON out.

A program of its own, because a question to a driver may never return, and then only a process can be given up. It ends
when nobody listens any more, even while it waits for the driver."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol


class Looker(Protocol):
    def look(self) -> dict[str, Any]: ...


def nvidia() -> Looker:
    import pynvml

    from llamaswap_py.observe.gpu.nvidia import Nvidia

    return Nvidia(pynvml)


def amd() -> Looker:
    from llamaswap_py.observe.gpu.amd import Amd

    return Amd()


def apple() -> Looker:
    from llamaswap_py.observe.gpu.apple import Apple

    return Apple()


KINDS: dict[str, Callable[[], Looker]] = {"nvidia": nvidia, "amd": amd, "apple": apple}


def listen(asked: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        asked.put(line)
    os._exit(0)


def say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main(kind: str) -> int:
    """After a failure it ends: who begins anew finds a driver that was loaded meanwhile."""
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(asked,), daemon=True).start()
    looker: Looker | None = None
    while True:
        asked.get()
        try:
            looker = looker or KINDS[kind]()
            told = looker.look()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is told to whoever asked
            say({"failed": f"{type(error).__name__}: {error}"})
            return 1
        say(told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
