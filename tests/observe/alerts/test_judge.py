"""When an alert begins, gets worse and is over, by a clock that the test moves."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from llamaswap_py.config.values import AlertRule, Alerts
from llamaswap_py.observe.alerts.judge import LOST_SECONDS, Judge, Now
from llamaswap_py.observe.alerts.rules import FIRED, RESOLVED, WORSE, Acknowledged, Level, Reading

RULE = AlertRule(80, 95, 300.0)
EPOCH = 1_700_000_000.0


class Place:
    """One rule, looked at as time goes by."""

    def __init__(self, rule: AlertRule = RULE, calm: float = 60.0, margin: int = 5) -> None:
        self.judge = Judge(Alerts(calm=calm, margin=margin, rules=MappingProxyType({"cpu_usage": rule})))
        self.time = 0.0

    @property
    def now(self) -> Now:
        return Now(self.time, EPOCH + self.time)

    def look(self, value: float | None, detail: str = "") -> list[str]:
        readings = {} if value is None else {"cpu_usage": Reading(value, detail)}
        return [news.kind for news in self.judge.look(readings, self.now)]

    def hold(self, value: float | None, seconds: float, step: float = 15.0) -> list[str]:
        """The value, looked at every so often for so long, from now on."""
        heard = self.look(value)
        end = self.time + seconds
        while self.time < end:
            self.time += step
            heard += self.look(value)
        return heard


def test_it_fires_after_its_duration_and_not_before() -> None:
    place = Place()
    assert place.hold(85, 285) == []
    assert place.judge.state("cpu_usage") == "rising"
    assert place.hold(85, 15) == [FIRED]
    assert place.judge.state("cpu_usage") == "warning"
    assert place.hold(85, 3600) == []


def test_a_dip_begins_the_duration_anew() -> None:
    place = Place()
    assert place.hold(85, 285) + place.look(79) + place.hold(85, 285) == []
    assert place.hold(85, 30) == [FIRED]


def test_a_gap_in_what_is_measured_begins_it_anew_too() -> None:
    place = Place()
    assert place.hold(85, 285) + place.look(None) + place.hold(85, 285) == []


def test_it_is_over_once_it_was_well_below_for_long_enough() -> None:
    place = Place()
    place.hold(85, 300)
    assert place.hold(79, 3600) == [], "79 is not 5 % below 80"
    assert place.hold(75, 45) == []
    assert place.hold(75, 30) == [RESOLVED]
    [alert] = place.judge.past
    assert (alert.value, alert.worst) == (75, 85)
    assert alert.ended - alert.began == pytest.approx(3600 + 75, abs=30)
    assert place.judge.firing == {}


def test_a_value_that_dances_around_its_limit_is_one_alert() -> None:
    place = Place()
    heard = place.hold(85, 300)
    for _ in range(50):
        heard += place.hold(75, 30) + place.hold(85, 30)
    assert heard == [FIRED]


def test_it_gets_worse_once() -> None:
    place = Place()
    assert place.hold(85, 300) == [FIRED]
    assert place.hold(97, 285) == []
    assert place.hold(97, 15) == [WORSE]
    assert place.hold(85, 600) == [], "it is a warning again, of which everybody knows"
    assert place.judge.firing["cpu_usage"].level is Level.WARNING
    assert place.hold(97, 600) == []
    assert place.hold(10, 75) == [RESOLVED]


def test_what_is_grave_at_once_is_told_once() -> None:
    place = Place()
    assert place.hold(99, 300) == [FIRED]
    assert place.judge.firing["cpu_usage"].level is Level.CRITICAL
    assert place.judge.firing["cpu_usage"].limit == 95


@pytest.mark.parametrize(
    ("rule", "level"), [(AlertRule(80, 0, 0), Level.WARNING), (AlertRule(0, 95, 0), Level.CRITICAL)]
)
def test_a_limit_of_nothing_is_none(rule: AlertRule, level: Level) -> None:
    place = Place(rule, calm=0)
    assert place.look(100) == [FIRED]
    assert place.judge.firing["cpu_usage"].level is level
    place.time += 1
    assert place.look(0) == [RESOLVED]


def test_a_rule_without_limits_is_off_and_ends_what_it_had() -> None:
    place = Place(replace(RULE, duration=0))
    assert place.look(100) == [FIRED]
    place.judge.adopt(replace(place.judge.alerts, rules={"cpu_usage": AlertRule(0, 0, 0)}))
    assert place.look(100) == [RESOLVED]
    assert place.judge.past[0].why == "the rule was switched off"
    assert place.look(100) == []
    assert place.judge.state("cpu_usage") == "off"


def test_disabled_means_all_of_them() -> None:
    place = Place(replace(RULE, duration=0))
    assert place.look(100) == [FIRED]
    place.judge.adopt(replace(place.judge.alerts, disabled=True))
    assert place.look(100) == [RESOLVED]
    assert place.judge.state("cpu_usage") == "off"


def test_what_is_not_measured_neither_fires_nor_ends_until_it_is_lost() -> None:
    place = Place(replace(RULE, duration=0))
    assert place.hold(None, 3600) == []
    assert place.judge.state("cpu_usage") == "unknown"
    assert place.look(100) == [FIRED]
    assert place.hold(None, LOST_SECONDS - 15) == []
    assert place.hold(None, 15) == [RESOLVED]
    assert place.judge.past[0].why == "nothing is measured any more"


def test_what_fired_before_a_restart_is_lost_only_a_while_after_it() -> None:
    place = Place(replace(RULE, duration=0))
    place.look(100)
    later = Place(replace(RULE, duration=0))
    later.judge.firing = dict(place.judge.firing)
    later.time = 5000.0
    assert later.hold(None, LOST_SECONDS - 15) == []
    assert later.hold(None, 15) == [RESOLVED]


def test_a_silence_keeps_it_quiet_and_what_still_fires_is_told_after_it() -> None:
    place = Place(replace(RULE, duration=0))
    place.judge.silence("cpu_usage", EPOCH + 100, "work")
    assert place.hold(100, 90) == []
    assert place.judge.firing["cpu_usage"].told is Level.CALM
    assert place.hold(100, 15) == [FIRED]
    assert place.judge.silences == {}


def test_what_began_and_ended_in_a_silence_nobody_hears() -> None:
    place = Place(replace(RULE, duration=0), calm=0)
    place.judge.silence("cpu_usage", EPOCH + 1000, "")
    assert place.look(100) + place.hold(0, 15) == []
    assert len(place.judge.past) == 1


def test_who_was_told_hears_the_end_in_a_silence_too() -> None:
    place = Place(replace(RULE, duration=0), calm=0)
    assert place.look(85) == [FIRED]
    place.judge.silence("cpu_usage", EPOCH + 1000, "")
    assert place.look(99) == []
    assert place.hold(0, 15) == [RESOLVED]
    assert place.judge.speak("cpu_usage")
    assert not place.judge.speak("cpu_usage")


def test_an_alert_is_found_and_acknowledged() -> None:
    place = Place(replace(RULE, duration=0))
    place.look(100, "of 2 cores")
    alert = place.judge.find("cpu_usage")
    assert alert is not None
    assert place.judge.find(alert.id) == alert
    assert place.judge.find("nothing") is None
    place.judge.acknowledge(alert, Acknowledged("me", "on it", EPOCH))
    place.look(101, "of 4 cores")
    known = place.judge.firing["cpu_usage"]
    assert (known.acknowledged, known.worst, known.detail) == (Acknowledged("me", "on it", EPOCH), 101, "of 4 cores")


@given(
    st.lists(st.none() | st.floats(0, 100), max_size=200), st.integers(0, 60), st.integers(0, 60), st.integers(0, 50)
)
def test_whatever_comes_each_way_is_told_once_and_in_turn(
    values: list[float | None], duration: int, calm: int, margin: int
) -> None:
    place = Place(AlertRule(80, 95, duration), calm, margin)
    heard = [kind for value in values for kind in place.hold(value, 15)]
    text = "".join({FIRED: "f", WORSE: "w", RESOLVED: "r"}[kind] for kind in heard)
    for part in text.split("r")[:-1]:
        assert part in ("f", "fw")
    assert text.split("r")[-1] in ("", "f", "fw")
    assert bool(place.judge.firing) == bool(text.split("r")[-1])
