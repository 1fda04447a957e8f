"""How alerts stand, for the health and for scrapes."""

from __future__ import annotations

from typing import Any

from llamaswap_py.observe.alerts.alarms import Alarms
from llamaswap_py.observe.alerts.rules import Alert, Level
from llamaswap_py.observe.scores import Score, Scores


def loud(alarms: Alarms) -> list[Alert]:
    """Those that fire and that nobody has dealt with."""
    wall, judge = alarms.means.wall(), alarms.judge
    return [each for each in judge.firing.values() if each.acknowledged is None and not judge.silent(each.rule, wall)]


def part(alarms: Alarms) -> dict[str, Any]:
    """Of the health, in numbers."""
    critical = sum(alert.level is Level.CRITICAL for alert in loud(alarms))
    return {
        "status": "degraded" if critical else "ok",
        "firing": len(alarms.judge.firing),
        "critical": critical,
        "undelivered": sum(len(line.parcels) for line in alarms.courier.outbox.lines.values()),
    }


def scores(alarms: Alarms) -> list[Score]:
    found = Scores("llamaswap_alerts_firing", "llamaswap_alert_messages_total", "llamaswap_alert_messages_waiting")
    for name in alarms.alerts.rules:
        found.put("llamaswap_alerts_firing", (name,), float(name in alarms.judge.firing))
    for labels, count in alarms.courier.outcomes.items():
        found.put("llamaswap_alert_messages_total", labels, count)
    for name, line in alarms.courier.outbox.lines.items():
        found.put("llamaswap_alert_messages_waiting", (name,), len(line.parcels))
    return found.scores()
