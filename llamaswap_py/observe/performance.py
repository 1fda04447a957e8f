"""How busy the machine is: measured now and then by a thread of its own, the last hour kept."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psutil

KEPT_SECONDS = 3600.0
MIB = 1024 * 1024
LOOPBACKS = ("lo", "lo0")

Sample = dict[str, Any]


def measure() -> Sample:
    """One look, with llama-swap's names. Use of the cores is since the look before."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    load = psutil.getloadavg()
    counters = psutil.net_io_counters(pernic=True).items()
    return {
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "cpu_util_per_core": psutil.cpu_percent(percpu=True),
        "mem_total_mb": memory.total // MIB,
        "mem_used_mb": memory.used // MIB,
        "mem_free_mb": memory.free // MIB,
        "swap_total_mb": swap.total // MIB,
        "swap_used_mb": swap.used // MIB,
        "load_avg_1": load[0],
        "load_avg_5": load[1],
        "load_avg_15": load[2],
        "net_io": [
            {"name": name, "bytes_recv": net.bytes_recv, "bytes_sent": net.bytes_sent}
            for name, net in sorted(counters)
            if name not in LOOPBACKS
        ],
    }


class Performance:
    """`adopt` says how often, or never; it may be called again. Reading waits for no measurement.

    `say` hears what went wrong, from another thread."""

    def __init__(self, say: Callable[[str], object], look: Callable[[], Sample] = measure) -> None:
        self.say = say
        self.look = look
        self.samples: deque[Sample] = deque()
        self.every = 0.0  # 0: not at all
        self.lock = threading.Lock()
        self.stop = threading.Event()

    @property
    def enabled(self) -> bool:
        return self.every > 0

    def adopt(self, every: float) -> None:
        if every == self.every:
            return
        self.close()
        self.every = every
        if every:
            with self.lock:
                self.samples = deque(self.samples, maxlen=max(1, int(KEPT_SECONDS / every)))
            self.stop = threading.Event()
            arguments = (self.stop, every)
            threading.Thread(target=self.measure_on, args=arguments, name="performance", daemon=True).start()

    def measure_on(self, stop: threading.Event, every: float) -> None:
        psutil.cpu_percent(percpu=True)  # from here on the use of the cores is counted
        while not stop.wait(every):
            try:
                sample = self.look()
            except (OSError, RuntimeError, psutil.Error) as error:
                self.say(f"the machine could not be measured: {error}")
                continue
            with self.lock:
                self.samples.append(sample)

    def close(self) -> None:
        self.stop.set()

    def since(self, moment: datetime | None) -> list[Sample]:
        with self.lock:
            samples = list(self.samples)
        if moment is None:
            return samples
        return [sample for sample in samples if datetime.fromisoformat(sample["timestamp"]) > moment]

    def latest(self) -> Sample | None:
        with self.lock:
            return self.samples[-1] if self.samples else None
