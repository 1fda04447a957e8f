"""The alerts of the running program: looked for at an interval, told to log and receivers, kept over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from llamaswap_py.config.values import Alerts
from llamaswap_py.observe.alerts import kept
from llamaswap_py.observe.alerts.courier import Courier, Means
from llamaswap_py.observe.alerts.judge import Judge
from llamaswap_py.observe.alerts.kept import Kept, Notebook
from llamaswap_py.observe.alerts.rules import MEASURES, RESOLVED, Acknowledged, Alert, Level, News
from llamaswap_py.observe.alerts.sensors import Sensors
from llamaswap_py.observe.alerts.wording import row, sentence

log = structlog.get_logger("alerts")

Tell = Callable[[Mapping[str, Any]], object]


class Alarms:
    """`tell` hears the row of every alert that changed."""

    def __init__(self, alerts: Alerts, sensors: Sensors, means: Means, tell: Tell) -> None:
        self.alerts = alerts
        self.sensors = sensors
        self.means = means
        self.tell = tell
        self.judge = Judge(alerts)
        self.notebook = Notebook(None, self.told)
        self.courier = Courier(alerts, means, self.notebook.save)
        self.woken = asyncio.Event()
        self.looking = False  # at the disks
        self.looked: Callable[[], None] = lambda: None  # hears of every look and every order

    def remember(self, path: Path) -> None:
        """What an earlier start has left there. Blocks for a moment; done before `begin`."""
        self.notebook.path = path
        before = kept.read(path)
        self.judge.firing = {alert.rule: alert for alert in before.firing if alert.rule in MEASURES}
        self.judge.past.extend(alert for alert in before.past if alert.rule in MEASURES)
        self.judge.silences = {name: each for name, each in before.silences.items() if name in MEASURES}
        self.courier.resume(before.waiting)

    def begin(self) -> None:
        self.means.start("alerts", self.watch())

    async def watch(self) -> None:
        while True:
            self.look()
            self.woken.clear()
            await self.means.pause(self.woken, self.alerts.every)

    def look(self) -> None:
        if not self.looking and not self.alerts.disabled:
            self.looking = True
            self.means.start("alerts: disks", self.look_at_disks())
        now = self.means.now()
        before = dict(self.judge.firing)
        readings = self.sensors.read(now, self.alerts.window)
        news = self.judge.look(readings, now)
        for each in news:
            say(each)
            self.courier.send(each)
        if self.tell_changes(before) or news:
            self.keep()
        self.looked()

    async def look_at_disks(self) -> None:
        try:
            await self.sensors.look_at_disks(self.means.thread, self.means.clock())  # type: ignore[arg-type]
        finally:
            self.looking = False

    def tell_changes(self, before: Mapping[str, Alert]) -> bool:
        after = self.judge.firing
        over = [alert for alert in self.judge.past if any(alert.id == each.id for each in before.values())]
        changed = [alert for name, alert in after.items() if mark(alert) != mark(before.get(name))]
        for alert in (*over, *changed):
            self.tell(row(alert))
        return bool(over or changed)

    def keep(self) -> None:
        self.means.start("alerts: kept", self.notebook.save())

    def told(self) -> Kept:
        judge = self.judge
        waiting = self.courier.outbox.waiting()
        return Kept(list(judge.firing.values()), list(judge.past), judge.silences, waiting)

    # -- what people order

    def adopt(self, alerts: Alerts) -> None:
        """Another configuration; it is looked anew at once."""
        if alerts == self.alerts:
            return
        self.alerts = alerts
        self.judge.adopt(alerts)
        self.courier.adopt(alerts)
        self.woken.set()

    def acknowledge(self, alert: Alert, by: str, note: str) -> Alert:
        return self.changed(self.judge.acknowledge(alert, Acknowledged(by, note, self.means.wall())))

    def unacknowledge(self, alert: Alert) -> Alert:
        return self.changed(self.judge.acknowledge(alert, None))

    def changed(self, alert: Alert) -> Alert:
        self.tell(row(alert))
        self.keep()
        self.looked()
        return alert

    def silence(self, name: str, seconds: float, note: str) -> float:
        """Until when."""
        until = self.means.wall() + seconds
        self.judge.silence(name, until, note)
        self.keep()
        self.looked()
        return until

    def speak(self, name: str) -> bool:
        """The silence is over: what fires is told now."""
        was_silent = self.judge.speak(name)
        if was_silent:
            self.woken.set()
            self.keep()
            self.looked()
        return was_silent

    async def close(self) -> None:
        await self.courier.close()
        await self.notebook.save()


def mark(alert: Alert | None) -> tuple[str, int] | None:
    return None if alert is None else (alert.id, alert.level)


def say(news: News) -> None:
    text = f"alert {news.kind}: {sentence(*news)}"
    if news.kind == RESOLVED:
        log.info(text)
    else:
        (log.error if news.alert.level is Level.CRITICAL else log.warning)(text)
