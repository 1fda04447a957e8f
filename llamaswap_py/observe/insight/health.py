"""How well the house does, as one number out of a hundred, with what makes it up. Pure.

What is not known counts for nothing, neither good nor bad; where little is known, that little says less."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

PER_ALERT = 20.0
HEALTHY, WARNING = 80.0, 60.0  # above the first it is well, below the second it is not
HOTTEST = 100.0  # degrees Celsius
PATIENT_MS = 5000.0  # an answer may take so long to begin; each quarter of a second more costs a point
POINT_MS = 250.0

# A machine that computes is busy and warm: that weighs less than callers who fail or wait.
WEIGHTS = {"cpu": 0.10, "memory": 0.20, "gpu": 0.15, "errors": 0.35, "response": 0.20}
LEAST = 0.5  # of the weights: what is missing up to there is taken for well


class Vitals(NamedTuple):
    """None: not known."""

    cpu: float | None = None  # percent in use
    memory: float | None = None  # percent in use
    gpu: float | None = None  # degrees Celsius, of the hottest
    errors: float | None = None  # percent of the requests that failed
    response: float | None = None  # milliseconds until an answer began, in the mean
    alerts: int = 0  # that fire


def components(vitals: Vitals) -> dict[str, float | None]:
    """Each out of a hundred."""
    made = {
        "cpu": None if vitals.cpu is None else 100 - vitals.cpu,
        "memory": None if vitals.memory is None else 100 - vitals.memory,
        "gpu": None if vitals.gpu is None else 100 - 100 * vitals.gpu / HOTTEST,
        "errors": None if vitals.errors is None else 100 - 10 * vitals.errors,
        "response": None if vitals.response is None else 100 - (vitals.response - PATIENT_MS) / POINT_MS,
    }
    return {name: None if value is None or math.isnan(value) else bounded(value) for name, value in made.items()}


def bounded(value: float) -> float:
    return round(min(100.0, max(0.0, value)), 1)


def score(vitals: Vitals) -> float | None:
    """None where nothing at all is known."""
    known = {name: value for name, value in components(vitals).items() if value is not None}
    if not known:
        return None
    lacking = sum(WEIGHTS[name] * (100 - value) for name, value in known.items())
    weight = max(LEAST, sum(WEIGHTS[name] for name in known))
    return bounded(100 - lacking / weight - PER_ALERT * vitals.alerts)


def status(value: float | None) -> str:
    if value is None:
        return "unknown"
    return "healthy" if value > HEALTHY else "warning" if value >= WARNING else "critical"


def told(vitals: Vitals) -> dict[str, Any]:
    """The number, and what it is made of."""
    value, parts = score(vitals), components(vitals)
    figures = vitals._asdict()
    return {
        "score": value,
        "status": status(value),
        "components": {
            name: {"score": parts[name], "value": figures[name], "weight": weight} for name, weight in WEIGHTS.items()
        },
        "alerts": vitals.alerts,
        "alert_penalty": PER_ALERT * vitals.alerts,
    }
