"""What the command line asks of the running program."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_LISTEN = "127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class Options:
    config: str | None = None
    config_dir: str | None = None
    listen: str = DEFAULT_LISTEN
    watch_config: bool = False
    state_dir: str | None = None
