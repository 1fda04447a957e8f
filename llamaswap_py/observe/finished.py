"""A request that is over, as it is handed to the recorder: references, and nothing looked at."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Protocol

import msgspec

from llamaswap_py.observe.captures import Asked
from llamaswap_py.observe.heard import Heard

NO_HEADERS: Mapping[str, str] = {}


class Ending(Protocol):
    """How a relay ended, as the relay tells it. Loop times."""

    @property
    def began(self) -> float: ...
    @property
    def first_byte(self) -> float | None: ...
    @property
    def ended(self) -> float: ...
    @property
    def bytes_sent(self) -> int: ...
    @property
    def longest_gap(self) -> float: ...
    @property
    def phase(self) -> Enum: ...
    @property
    def closed_by(self) -> Enum | None: ...


class Served(Protocol):
    """The run that answered. Loop times; `ready` is infinite until it is."""

    @property
    def number(self) -> int: ...
    @property
    def began(self) -> float: ...
    @property
    def ready(self) -> float: ...


class Finished(msgspec.Struct, gc=False):
    model: str
    path: str
    status: int
    when: float  # unix seconds
    seconds: float  # it took
    heard: Heard
    content_type: str = ""  # where the answer was our own
    error: str = ""
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    asked: Asked | None = None  # None: not to be captured
    weight: int = 0  # of its bodies, about; what it counts for in the queue
    began: float = 0.0  # loop time
    headers: Mapping[str, str] = NO_HEADERS  # the caller's
    address: str = ""
    request: str = ""  # its id
    private: bool = False  # nothing of what was asked and answered may be written down
    code: str = ""  # of the refusal it met
    outcome: Ending | None = None
    served: Served | None = None

    def weigh(self) -> int:
        asked = self.asked
        self.weight = self.heard.window.held + (len(asked.body) if asked is not None and asked.body else 0)
        return self.weight

    def without_capture(self) -> None:
        self.asked = None
        self.heard.window.shed()
