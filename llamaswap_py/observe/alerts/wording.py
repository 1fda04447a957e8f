"""What receivers read: a sentence, a row of the API, and the message in the form of each that hears by HTTP. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from llamaswap_py.config.values import Receiver
from llamaswap_py.observe.alerts.outbox import Parcel
from llamaswap_py.observe.alerts.rules import MEASURES, RESOLVED, TEST, Alert, Level, Reading

HOUR, MINUTE = 3600, 60
# ntfy's words and pictures; Slack's pictures.
PRIORITY = {Level.WARNING: "high", Level.CRITICAL: "urgent"}
TAG = {Level.WARNING: "warning", Level.CRITICAL: "rotating_light"}
DONE = "white_check_mark"


class Letter(NamedTuple):
    """One HTTP request."""

    url: str
    headers: Mapping[str, str]
    body: bytes


# ------------------------------------------------------------- words


def amount(value: float, unit: str) -> str:
    number = f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"
    return f"{number} {unit}".rstrip()


def span(seconds: float) -> str:
    whole = int(seconds)
    if whole >= HOUR:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // MINUTE} min" if whole >= MINUTE else f"{whole} s"


def sentence(kind: str, alert: Alert) -> str:
    """Without the machine's name, which titles have."""
    measure = MEASURES[alert.rule]
    if kind == TEST:
        return "A test message: alerts arrive here."
    value = amount(alert.value, measure.unit)
    if kind == RESOLVED:
        after = span(alert.ended - alert.began)
        worst = amount(alert.worst, measure.unit)
        return f"{alert.why or f'{measure.of} is {value}'}; it fired for {after} and reached {worst}"
    beside = f" ({alert.detail})" if alert.detail else ""
    return f"{measure.of} is {value}{beside}; the limit is {amount(alert.limit, measure.unit)}"


def title(kind: str, alert: Alert, host: str) -> str:
    """Plain ASCII, but for the machine's name: it goes into headers."""
    word = kind if kind in (RESOLVED, TEST) else alert.level.word
    return f"{word}: {alert.rule} at {host}" if kind != TEST else f"test of llamaswap at {host}"


def stamp(wall: float) -> str | None:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if wall else None


def row(alert: Alert) -> dict[str, Any]:
    """As the API, the events and webhooks show it."""
    measure, seen = MEASURES[alert.rule], alert.acknowledged
    return {
        "id": alert.id,
        "rule": alert.rule,
        "state": "resolved" if alert.ended else "firing",
        "level": alert.level.word,
        "measure": measure.of,
        "unit": measure.unit,
        "value": round(alert.value, 2),
        "worst": round(alert.worst, 2),
        "limit": alert.limit,
        "detail": alert.detail,
        "began": stamp(alert.began),
        "ended": stamp(alert.ended),
        "why": alert.why,
        "told": bool(alert.told),
        "acknowledged": {"by": seen.by, "note": seen.note, "at": stamp(seen.at)} if seen else None,
    }


def example(wall: float) -> Alert:
    """What a test message is about."""
    return Alert("test", "cpu_usage", Level.WARNING, wall, *Reading(0.0)[:1], 0.0, told=Level.WARNING)


# ------------------------------------------------------------- by HTTP


def letter(receiver: Receiver, parcel: Parcel, host: str, wall: float) -> Letter:
    own = {name: value for name, value in receiver.headers.items() if name.strip()}
    write = {"slack": slack, "ntfy": ntfy}.get(receiver.kind, webhook)
    found = write(receiver, parcel, host, wall)
    return found._replace(headers={**found.headers, **own})


def slack(receiver: Receiver, parcel: Parcel, host: str, wall: float) -> Letter:
    alert = parcel.alert
    picture = DONE if parcel.kind == RESOLVED else TAG[alert.level]
    text = f":{picture}: *{title(parcel.kind, alert, host)}*\n{sentence(parcel.kind, alert)}"
    return Letter(receiver.url, {"Content-Type": "application/json"}, msgspec.json.encode({"text": escaped(text)}))


def escaped(text: str) -> str:
    """Slack's three signs."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def ntfy(receiver: Receiver, parcel: Parcel, host: str, wall: float) -> Letter:
    alert = parcel.alert
    over = parcel.kind == RESOLVED
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Title": title(parcel.kind, alert, host).encode("ascii", "replace").decode(),
        "Priority": "default" if over else PRIORITY[alert.level],
        "Tags": DONE if over else TAG[alert.level],
        **({"Authorization": f"Bearer {receiver.token}"} if receiver.token else {}),
    }
    return Letter(receiver.url, headers, sentence(parcel.kind, alert).encode())


def webhook(receiver: Receiver, parcel: Parcel, host: str, wall: float) -> Letter:
    body = msgspec.json.encode(
        {
            "id": parcel.id,
            "event": parcel.kind,
            "title": title(parcel.kind, parcel.alert, host),
            "text": sentence(parcel.kind, parcel.alert),
            "host": host,
            "made": stamp(parcel.made),
            "alert": row(parcel.alert),
        }
    )
    headers = {"Content-Type": "application/json", "X-Llamaswap-Delivery": parcel.id}
    if receiver.secret:
        moment = str(int(wall))
        headers["X-Llamaswap-Timestamp"] = moment
        headers["X-Llamaswap-Signature"] = f"sha256={signature(receiver.secret, moment, body)}"
    return Letter(receiver.url, headers, body)


def signature(secret: str, moment: str, body: bytes) -> str:
    """Of the time too: who has heard a message cannot send it again later."""
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
