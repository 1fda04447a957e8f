"""The rings that logs are read from: our own, everybody's output, each model's, and what goes to stdout."""

from __future__ import annotations

from collections.abc import Callable

from llamaswap_py.runtime.output import Ring

Writer = Callable[[bytes], None]


class Logs:
    """`to_stdout` is one of proxy, upstream, both, none; the combined ring holds what it lets through."""

    def __init__(self, to_stdout: str, stdout: Writer) -> None:
        self.to_stdout = to_stdout
        self.stdout = stdout
        self.combined = Ring()
        self.proxy = Ring()
        self.upstream = Ring()
        self.models: dict[str, Ring] = {}

    def model(self, name: str) -> Ring:
        ring = self.models.get(name)
        if ring is None:
            ring = self.models[name] = Ring()
        return ring

    def from_proxy(self, line: bytes) -> None:
        self.proxy.write(line)
        if self.to_stdout in ("proxy", "both"):
            self.combine(line)

    def from_model(self, name: str, data: bytes) -> None:
        self.model(name).write(data)
        self.upstream.write(data)
        if self.to_stdout in ("upstream", "both"):
            self.combine(data)

    def combine(self, data: bytes) -> None:
        self.combined.write(data)
        self.stdout(data)

    def find(self, name: str) -> Ring | None:
        """By the names that `/logs/stream/<name>` takes, besides model ids."""
        fixed = {"": self.combined, "proxy": self.proxy, "upstream": self.upstream}
        return fixed.get(name)
