"""When an alert begins, gets worse and is over: rules, readings and a clock in, news out. Decides; does nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from llamaswap_py.config.values import AlertRule, Alerts
from llamaswap_py.observe.alerts.rules import FIRED, RESOLVED, WORSE, Acknowledged, Alert, Level, News, Reading

# An alert of which nothing was measured for so long says nothing about now.
LOST_SECONDS = 900.0
REMEMBERED = 100  # alerts that are over
LEVELS = (Level.WARNING, Level.CRITICAL)


class Now(NamedTuple):
    """`clock` only ever goes on, and measures durations; `wall` is unix time, for people and for silences."""

    clock: float
    wall: float


class Silence(msgspec.Struct):
    until: float  # unix seconds
    note: str = ""


class Course(msgspec.Struct):
    """How one rule's value has moved lately. Times are the clock's."""

    above: dict[Level, float] = msgspec.field(default_factory=dict)  # since when it has been at a limit
    below: dict[Level, float] = msgspec.field(default_factory=dict)  # since when well below it
    seen: float | None = None
    reading: Reading | None = None  # None: not measured at the last look

    def move(self, rule: AlertRule, margin: int, reading: Reading | None, now: float) -> None:
        self.reading = reading
        if self.seen is None:
            self.seen = now
        if reading is None:
            self.above.clear()  # what was not seen did not last
            self.below.clear()
            return
        self.seen = now
        for level in LEVELS:
            limit = limit_of(rule, level)
            keep(self.above, level, limit > 0 and reading.value >= limit, now)
            keep(self.below, level, reading.value < limit * (1 - margin / 100), now)


def keep(since: dict[Level, float], level: Level, holds: bool, now: float) -> None:
    if holds:
        since.setdefault(level, now)
    else:
        since.pop(level, None)


def limit_of(rule: AlertRule, level: Level) -> int:
    return (0, rule.warning, rule.critical)[level]


class Judge:
    """`firing` and `silences` outlive the program: whoever keeps them hands them in again."""

    def __init__(self, alerts: Alerts) -> None:
        self.alerts = alerts
        self.courses: dict[str, Course] = {}
        self.firing: dict[str, Alert] = {}
        self.past: deque[Alert] = deque(maxlen=REMEMBERED)
        self.silences: dict[str, Silence] = {}

    # -- what is seen

    def look(self, readings: Mapping[str, Reading], now: Now) -> list[News]:
        """What receivers are to hear of it. What changed without their hearing is in `firing` and `past`."""
        for name in [name for name, silence in self.silences.items() if silence.until <= now.wall]:
            del self.silences[name]
        return [news for name in self.alerts.rules for news in self.one(name, readings.get(name), now)]

    def one(self, name: str, reading: Reading | None, now: Now) -> Iterator[News]:
        rule, course = self.alerts.rules[name], self.courses.setdefault(name, Course())
        course.move(rule, self.alerts.margin, reading, now.clock)
        alert = self.firing.get(name)
        if self.alerts.disabled or not (rule.warning or rule.critical):
            yield from self.end(name, now, "the rule was switched off")
            return
        if reading is None:
            if alert is not None and now.clock - (course.seen or 0.0) >= LOST_SECONDS:
                yield from self.end(name, now, "nothing is measured any more")
            return
        level = self.level(name, now.clock)
        if level is Level.CALM:
            yield from self.end(name, now, "", reading)
            return
        self.firing[name] = self.gone_on(alert, name, level, reading, now)
        yield from self.announced(name, now)

    def level(self, name: str, clock: float) -> Level:
        """The gravest that has lasted long enough, or that has not been over for long enough."""
        rule, course, alert = self.alerts.rules[name], self.courses[name], self.firing.get(name)
        found = Level.CALM
        for each in LEVELS:
            reached = each in course.above and clock - course.above[each] >= rule.duration
            over = each in course.below and clock - course.below[each] >= self.alerts.calm
            kept = alert is not None and alert.level >= each and limit_of(rule, each) > 0 and not over
            found = each if reached or kept else found
        return found

    def gone_on(self, alert: Alert | None, name: str, level: Level, reading: Reading, now: Now) -> Alert:
        limit = limit_of(self.alerts.rules[name], level)
        if alert is None:
            number = f"{name}-{int(now.wall * 1000):x}"
            return Alert(number, name, level, now.wall, reading.value, reading.value, reading.detail, limit)
        worse = reading.value > alert.worst
        return replace(
            alert,
            level=level,
            limit=limit,
            value=reading.value,
            worst=max(alert.worst, reading.value),
            detail=reading.detail if worse else alert.detail,
        )

    def announced(self, name: str, now: Now) -> Iterator[News]:
        """Each gravity once; in a silence later, if it still fires then."""
        alert = self.firing[name]
        if alert.level > alert.told and not self.silent(name, now.wall):
            kind = WORSE if alert.told else FIRED
            self.firing[name] = alert = replace(alert, told=alert.level)
            yield News(kind, alert)

    def end(self, name: str, now: Now, why: str, reading: Reading | None = None) -> Iterator[News]:
        """Who was told that it fires is told that it is over, silence or not."""
        alert = self.firing.pop(name, None)
        if alert is None:
            return
        value = alert.value if reading is None else reading.value
        over = replace(alert, value=value, ended=now.wall, why=why)
        self.past.append(over)
        if over.told:
            yield News(RESOLVED, over)

    # -- what people order

    def adopt(self, alerts: Alerts) -> None:
        self.alerts = alerts

    def silent(self, name: str, wall: float) -> bool:
        return name in self.silences and self.silences[name].until > wall

    def silence(self, name: str, until: float, note: str) -> None:
        self.silences[name] = Silence(until, note)

    def speak(self, name: str) -> bool:
        """Whether there was a silence."""
        return self.silences.pop(name, None) is not None

    def find(self, wanted: str) -> Alert | None:
        """By its id, or by its rule."""
        return next((each for each in self.firing.values() if wanted in (each.id, each.rule)), None)

    def acknowledge(self, alert: Alert, seen: Acknowledged | None) -> Alert:
        self.firing[alert.rule] = found = replace(alert, acknowledged=seen)
        return found

    def state(self, name: str) -> str:
        """A word for people: off, unknown, calm, rising, warning, critical."""
        rule, course = self.alerts.rules[name], self.courses.get(name)
        if name in self.firing:
            return self.firing[name].level.word
        if self.alerts.disabled or not (rule.warning or rule.critical):
            return "off"
        if course is None or course.reading is None:
            return "unknown"
        return "rising" if course.above else "calm"
