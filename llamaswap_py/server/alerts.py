"""Alerts over the API: what fires and why, who is told, and the orders to be quiet."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from llamaswap_py.config.kinds import DURATION, PART, UNIT
from llamaswap_py.config.schema import RULES_ABOUT
from llamaswap_py.config.values import Receiver
from llamaswap_py.errors import BadRequest, NoSuchRecord
from llamaswap_py.observe.alerts.alarms import Alarms
from llamaswap_py.observe.alerts.rules import MEASURES, Alert
from llamaswap_py.observe.alerts.wording import row, stamp
from llamaswap_py.server.bodies import read_body
from llamaswap_py.server.doors import Door, Kind

LARGEST = 64 * 1024  # bytes of an order
LONGEST_NOTE = 500
LONGEST_SILENCE = 366 * 86400.0  # seconds
SILENCE = 3600.0  # where nothing is said


class AlertDoors:
    def __init__(
        self, alarms: Alarms, whose: Callable[[web.Request], str] = lambda request: request.remote or ""
    ) -> None:
        self.alarms = alarms
        self.whose = whose

    def doors(self) -> list[Door]:
        return [
            Door("GET", "/api/alerts", Kind.CONTROL, self.show),
            Door("POST", "/api/alerts/{id}/acknowledge", Kind.CONTROL, self.acknowledge),
            Door("DELETE", "/api/alerts/{id}/acknowledge", Kind.CONTROL, self.unacknowledge),
            Door("POST", "/api/alerts/{rule}/silence", Kind.CONTROL, self.silence),
            Door("DELETE", "/api/alerts/{rule}/silence", Kind.CONTROL, self.speak),
            Door("POST", "/api/alerts/receivers/{name}/test", Kind.CONTROL, self.test),
        ]

    # -- what there is

    async def show(self, request: web.Request) -> web.Response:
        alarms = self.alarms
        receivers = [self.receiver(each) for each in alarms.alerts.receivers.values()]
        past = [row(alert) for alert in reversed(alarms.judge.past)]
        return web.json_response({**standing(alarms), "past": past, "receivers": receivers})

    def receiver(self, receiver: Receiver) -> dict[str, Any]:
        line = self.alarms.courier.outbox.lines[receiver.id]
        left = line.due - self.alarms.means.clock()
        return {
            "name": receiver.id,
            "kind": receiver.kind,
            "least": receiver.least,
            "delivered": line.delivered,
            "waiting": len(line.parcels),
            "given_up": line.given_up,
            "last": stamp(line.last),
            "trouble": line.trouble,
            "next_try": round(left, 1) if left > 0 and line.parcels else None,
        }

    # -- orders

    def named(self, request: web.Request) -> Alert:
        wanted = request.match_info["id"]
        alert = self.alarms.judge.find(wanted)
        if alert is None:
            raise NoSuchRecord(f"no alert {wanted} fires")
        return alert

    def ruled(self, request: web.Request) -> str:
        name = request.match_info["rule"]
        if name not in MEASURES:
            raise NoSuchRecord(f"there is no rule {name}; the rules are {', '.join(MEASURES)}")
        return name

    async def acknowledge(self, request: web.Request) -> web.Response:
        alert, order = self.named(request), await self.order(request, "note")
        return web.json_response(row(self.alarms.acknowledge(alert, self.whose(request), note_of(order))))

    async def unacknowledge(self, request: web.Request) -> web.Response:
        return web.json_response(row(self.alarms.unacknowledge(self.named(request))))

    async def silence(self, request: web.Request) -> web.Response:
        name, order = self.ruled(request), await self.order(request, "for", "note")
        until = self.alarms.silence(name, seconds_of(order), note_of(order))
        return web.json_response({"rule": name, "until": stamp(until), "note": note_of(order)})

    async def speak(self, request: web.Request) -> web.Response:
        name = self.ruled(request)
        if not self.alarms.speak(name):
            raise NoSuchRecord(f"{name} is not silenced")
        return web.json_response({"rule": name, "until": None, "note": ""})

    async def test(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.alarms.alerts.receivers:
            raise NoSuchRecord(f"there is no receiver {name}")
        trouble = await self.alarms.courier.test(name)
        return web.json_response(
            {"receiver": name, "delivered": trouble is None, "trouble": trouble.why if trouble else ""}
        )

    async def order(self, request: web.Request, *names: str) -> dict[str, Any]:
        return read_order(await read_body(request, LARGEST), names)


def standing(alarms: Alarms) -> dict[str, Any]:
    """Now: what fires, and every rule."""
    return {
        "enabled": not alarms.alerts.disabled,
        "every": alarms.alerts.every,
        "window": alarms.alerts.window,
        "firing": [row(alert) for alert in alarms.judge.firing.values()],
        "rules": [rule(alarms, name) for name in alarms.alerts.rules],
    }


def rule(alarms: Alarms, name: str) -> dict[str, Any]:
    judge, limits = alarms.judge, alarms.alerts.rules[name]
    course, silence = judge.courses.get(name), judge.silences.get(name)
    reading = course.reading if course else None
    silent = judge.silent(name, alarms.means.wall())
    return {
        "rule": name,
        "measure": MEASURES[name].of,
        "about": RULES_ABOUT[name],
        "unit": MEASURES[name].unit,
        "warning": limits.warning,
        "critical": limits.critical,
        "duration": limits.duration,
        "state": judge.state(name),
        "value": round(reading.value, 2) if reading else None,
        "detail": reading.detail if reading else "",
        "silence": {"until": stamp(silence.until), "note": silence.note} if silence and silent else None,
    }


def read_order(body: bytes, names: tuple[str, ...]) -> dict[str, Any]:
    """Nothing is an order without details."""
    try:
        found = msgspec.json.decode(body) if body.strip() else {}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    unknown = sorted(found.keys() - set(names)) if isinstance(found, dict) else ["what is no object"]
    if unknown:
        raise BadRequest(f"the body may have {' and '.join(names)}, not {', '.join(unknown)}")
    assert isinstance(found, dict)
    return found


def note_of(order: dict[str, Any]) -> str:
    note = order.get("note") or ""
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise BadRequest(f"note must be a text of {LONGEST_NOTE} characters at most")
    return note


def seconds_of(order: dict[str, Any]) -> float:
    """How long a silence is to last."""
    asked = order.get("for", SILENCE)
    seconds = -1.0
    if isinstance(asked, str) and DURATION.fullmatch(asked) and asked[0] not in "-+":
        seconds = sum(float(number) * UNIT[unit] for number, unit in PART.findall(asked))
    elif isinstance(asked, (int, float)) and not isinstance(asked, bool) and math.isfinite(asked):
        seconds = float(asked)
    if not 0 < seconds <= LONGEST_SILENCE:
        raise BadRequest("for must be seconds, or a duration such as 2h, of a year at most")
    return seconds
