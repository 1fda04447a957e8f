"""Runs of which something survives SIGKILL: their models and ports are not used again until it is gone."""

from __future__ import annotations

import msgspec
import structlog

from llamaswap_py.errors import Leaked
from llamaswap_py.launchers.local import LocalRun

log = structlog.get_logger("runs")


class Leak(msgspec.Struct, frozen=True):
    pids: tuple[int, ...]
    port: int | None

    @property
    def whose(self) -> str:
        many = len(self.pids) > 1
        return f"process{'es' if many else ''} {', '.join(map(str, self.pids))}"


class Leaks:
    def __init__(self, ports: set[int]) -> None:
        self.ports = ports  # those that are given out
        self.known: dict[str, Leak] = {}

    def hold(self, model: str, child: LocalRun, port: int | None) -> None:
        """Ends by itself with the last of those processes. Safe twice."""
        if model in self.known:
            return
        leak = self.known[model] = Leak(child.leaked, port)
        log.error(
            f"model {model}: {leak.whose} of its run survives SIGKILL, held by the kernel or a debugger;"
            " the model is not started again until it is gone"
        )
        child.child.gone.add_done_callback(lambda _: self.drop(model))

    def drop(self, model: str) -> None:
        leak = self.known.pop(model, None)
        if leak is None:
            return
        if leak.port is not None:
            self.ports.discard(leak.port)
        log.warning(f"model {model}: {leak.whose} of its last run is gone at last")

    def refuse(self, model: str) -> None:
        if leak := self.known.get(model):
            raise Leaked(
                f"model {model}: {leak.whose} of its last run survives SIGKILL; it starts again once that is gone"
            )
