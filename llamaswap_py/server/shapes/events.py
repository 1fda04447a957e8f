"""Which event says what, and what is left.

A shape is a type only; `python -m tests.page.types` writes all of them down for the page, and a test of the whole
program compares them with what is really answered."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from llamaswap_py.server.shapes.alerts import Alert, AlertsNow
from llamaswap_py.server.shapes.benchmarks import BenchmarkOrder
from llamaswap_py.server.shapes.configuration import ConfigNews, ProfileNews
from llamaswap_py.server.shapes.downloads import Pull
from llamaswap_py.server.shapes.machine import Machine
from llamaswap_py.server.shapes.models import LoadNews, ModelStatus, Rules, Standings, Swap
from llamaswap_py.server.shapes.overview import Glance
from llamaswap_py.server.shapes.requests import ActivityNews, Finished, Flights, InflightNews


class LogData(TypedDict):
    data: str
    source: Literal["proxy", "upstream"]


class LogPiece(TypedDict):
    """`/logs/stream/{name}` as events: what was written next. `whole`: all that is kept, anything before it is to be
    dropped; `lost`: bytes before this text that came faster than they were told."""

    text: str
    lost: int
    whole: bool


class UiActivity(TypedDict):
    session_id: list[str]


class UiConfig(TypedDict):
    activity: UiActivity


class Beat(TypedDict):
    """The server is there. `now`: unix seconds by its clock."""

    now: float


class ErrorBody(TypedDict):
    message: str
    type: str
    param: str | None
    code: str


class Refused(TypedDict):
    """The answer of a control route that refuses."""

    src: str
    error: ErrorBody


# By the `type` of an event, what its `data` holds.
EVENTS: dict[str, Any] = {
    "logData": LogData,
    "modelStatus": list[ModelStatus],
    "loading": LoadNews,
    "uiConfig": UiConfig,
    "profileChanged": ProfileNews,
    "inflight": InflightNews,
    "activity": ActivityNews,
    "config": ConfigNews,
    "swap": Swap,
    "pull": Pull,
    "alert": Alert,
    "alerts": AlertsNow,
    "glance": Glance,
    "benchmark": BenchmarkOrder,
    "standings": Standings,
    "rules": Rules,
    "beat": Beat,
    "finished": Finished,
    "flights": Flights,
    "machine": Machine,
}
