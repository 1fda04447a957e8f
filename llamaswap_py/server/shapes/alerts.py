"""What is said of alerts."""

from __future__ import annotations

from typing import Literal, TypedDict


class Acknowledgement(TypedDict):
    by: str
    note: str
    at: str | None


class Alert(TypedDict):
    """`value` is the last, `worst` the worst, `told` whether receivers were."""

    id: str
    rule: str
    state: Literal["firing", "resolved"]
    level: Literal["warning", "critical"]
    measure: str
    unit: str
    value: float
    worst: float
    limit: int
    detail: str
    began: str | None
    ended: str | None
    why: str
    told: bool
    acknowledged: Acknowledgement | None


class AlertSilence(TypedDict):
    until: str | None
    note: str


class AlertRule(TypedDict):
    """`value` is null where nothing was measured. `duration` in seconds."""

    rule: str
    measure: str
    about: str
    unit: str
    warning: int
    critical: int
    duration: float
    state: Literal["calm", "rising", "warning", "critical", "unknown", "off"]
    value: float | None
    detail: str
    silence: AlertSilence | None


class AlertReceiver(TypedDict):
    """Counted from the program's start. `next_try` in seconds."""

    name: str
    kind: Literal["webhook", "slack", "ntfy", "email"]
    least: Literal["warning", "critical"]
    delivered: int
    waiting: int
    given_up: int
    last: str | None
    trouble: str
    next_try: float | None


class AlertsNow(TypedDict):
    """The event `alerts`: all that fire, and every rule."""

    enabled: bool
    every: float
    window: float
    firing: list[Alert]
    rules: list[AlertRule]


class Alerts(AlertsNow):
    """`GET /api/alerts`."""

    past: list[Alert]
    receivers: list[AlertReceiver]
