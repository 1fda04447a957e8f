"""The rings that logs are read from: our own, everybody's output, each model's; and what goes to stdout and files."""

from __future__ import annotations

from collections.abc import Callable

from llamaswap_py.runtime.output import Ring

Writer = Callable[[bytes], None]
FileWriter = Callable[[str, bytes], None]


def no_file(name: str, data: bytes) -> None:
    """Where logs are not written to files."""


def nothing_open(name: str) -> None:
    """Nor is there a file to be ended."""


class Logs:
    """`to_stdout` is one of proxy, upstream, both, none; the combined ring holds what it lets through. Of files there
    is one for each model, and one without a name for the program itself."""

    def __init__(self, to_stdout: str, stdout: Writer) -> None:
        self.to_stdout = to_stdout
        self.stdout = stdout
        self.to_file: FileWriter = no_file
        self.over: Callable[[str], None] = nothing_open  # a model's server ended, and with it its last line
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
        self.to_file("", line)
        if self.to_stdout in ("proxy", "both"):
            self.combine(line)

    def from_model(self, name: str, data: bytes) -> None:
        self.model(name).write(data)
        self.upstream.write(data)
        self.to_file(name, data)
        if self.to_stdout in ("upstream", "both"):
            self.combine(data)

    def combine(self, data: bytes) -> None:
        self.combined.write(data)
        self.stdout(data)

    def find(self, name: str) -> Ring | None:
        """By the names that `/logs/stream/<name>` takes, besides model ids."""
        fixed = {"": self.combined, "proxy": self.proxy, "upstream": self.upstream}
        return fixed.get(name)
