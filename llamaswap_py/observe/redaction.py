"""Header fields as they may be kept and shown: one value a name, secrets blacked out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from llamaswap_py.wire.headers import SAME_HEADS, Head

REDACTED = "[REDACTED]"
SECRET = re.compile(
    r"authorization|cookie|api-?key|secret|password|credential|(access|auth|csrf|security|session|xsrf)-?token|^token$",
    re.IGNORECASE,
)


@lru_cache(maxsize=1024)  # the same few names come with every request
def known(name: str) -> tuple[str, str, bool]:
    """In lower case, as it is shown, and whether it is that of a secret."""
    return name.lower(), text_of(name), SECRET.search(name) is not None


def redacted(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The first value of each name."""
    shown: dict[str, tuple[str, str]] = {}
    for name, value in fields:
        key, text, secret = known(name)
        if key not in shown:
            shown[key] = (text, REDACTED if secret else text_of(value))
    return dict(shown.values())


def redacted_answer(head: Head) -> dict[str, str]:
    """The same of an answer's; servers say much the same in every answer."""
    return {**_of_answer(head)}


@lru_cache(maxsize=SAME_HEADS)
def _of_answer(head: Head) -> dict[str, str]:
    return redacted(head.fields())


def text_of(value: str) -> str:
    """Bytes that are no UTF-8 came as surrogates, which neither JSON nor a file can hold."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
