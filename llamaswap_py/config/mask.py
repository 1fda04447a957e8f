"""What stands where a secret stood."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "********"
SECRET_NAME = re.compile(r"(?i)key|token|secret|password|passwd|credential")
SHORTEST = 6  # characters; a shorter one could be part of anything, and is masked only where it is surely a secret


def without(text: str, secrets: Iterable[str]) -> str:
    """The longest first: one may be a part of another."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            text = text.replace(secret, MASK)
    return text
