"""Header fields as they may be kept and shown: one value a name, secrets blacked out."""

from __future__ import annotations

import re
from collections.abc import Iterable

REDACTED = "[REDACTED]"
SECRET = re.compile(
    r"authorization|cookie|api-?key|secret|password|credential|(access|auth|csrf|security|session|xsrf)-?token|^token$",
    re.IGNORECASE,
)


def redacted(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The first value of each name."""
    shown: dict[str, tuple[str, str]] = {}
    for name, value in fields:
        shown.setdefault(name.lower(), (name, REDACTED if SECRET.search(name) else value))
    return dict(shown.values())
