"""Which model a caller means: exact names only, an id before an alias."""

from __future__ import annotations

from llamaswap_py.config.report import closest
from llamaswap_py.config.values import Config

SUGGESTIONS = 3  # as many as fit into an error sentence


def resolve(config: Config, name: str) -> str | None:
    return config.names.get(name)


def nearest(config: Config, name: str) -> list[str]:
    """Names that exist and look like the one that does not, best first."""
    return closest(name, config.names, SUGGESTIONS)
