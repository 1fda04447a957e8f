"""What log files are called: nobody else's file is, and no model's name leads out of the folder. Pure."""

from __future__ import annotations

import re
from hashlib import sha256
from urllib.parse import quote

OWN = "llamaswap.log"
OURS = re.compile(r"llamaswap(?:-.+)?\.log(?:\.([1-9]\d{0,8}))?")
LONGEST = 150  # bytes; file systems take 255, and numbers come behind


def file_name(model: str) -> str:
    """Of a model's log; of our own where none is named. Different models have different ones."""
    if not model:
        return OWN
    safe = quote(model.encode("utf-8", "surrogatepass"), safe="@+=,")
    return f"llamaswap-{safe}.log" if len(safe) <= LONGEST else f"llamaswap-{safe[:LONGEST]}-{digest(model)}.log"


def other_name(model: str) -> str:
    """Where the file system takes no notice of capitals and the first name is another model's."""
    return f"{file_name(model).removesuffix('.log')}-{digest(model)}.log"


def digest(model: str) -> str:
    return sha256(model.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def number_of(name: str) -> int | None:
    """0 of one that is being written, from 1 on of those turned over, the youngest first; None of others' files."""
    found = OURS.fullmatch(name)
    return int(found[1] or 0) if found else None
