"""The time in front of a log line (`logTimeFormat`), in the forms that Go has names for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

# English whatever the machine's language is: log readers look for these.
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(now: datetime) -> str:
    return DAYS[now.weekday()][:3]


def stamp(now: datetime) -> str:
    return f"{MONTHS[now.month - 1]} {now.day:2d} {now:%H:%M:%S}"


def date(now: datetime) -> str:
    return f"{now.day:02d} {MONTHS[now.month - 1]} {now.year:04d}"


def short_date(now: datetime) -> str:
    return f"{now.day:02d} {MONTHS[now.month - 1]} {now:%y %H:%M}"


def rfc3339(now: datetime, fraction: str = "") -> str:
    offset = f"{now:%z}"
    zone = "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}"
    return f"{now:%Y-%m-%dT%H:%M:%S}{fraction}{zone}"


def nano(now: datetime) -> str:
    """Without zeros at its end, as Go writes it."""
    return rfc3339(now, f".{now.microsecond:06d}".rstrip("0").rstrip("."))


STAMPS: dict[str, Callable[[datetime], str]] = {
    "ansic": lambda now: f"{day(now)} {stamp(now)} {now.year:04d}",
    "unixdate": lambda now: f"{day(now)} {stamp(now)} {now.tzname()} {now.year:04d}",
    "rubydate": lambda now: f"{day(now)} {MONTHS[now.month - 1]} {now:%d %H:%M:%S %z} {now.year:04d}",
    "rfc822": lambda now: f"{short_date(now)} {now.tzname()}",
    "rfc822z": lambda now: f"{short_date(now)} {now:%z}",
    "rfc850": lambda now: (
        f"{DAYS[now.weekday()]}, {now.day:02d}-{MONTHS[now.month - 1]}-{now:%y %H:%M:%S} {now.tzname()}"
    ),
    "rfc1123": lambda now: f"{day(now)}, {date(now)} {now:%H:%M:%S} {now.tzname()}",
    "rfc1123z": lambda now: f"{day(now)}, {date(now)} {now:%H:%M:%S %z}",
    "rfc3339": rfc3339,
    "rfc3339nano": nano,
    "kitchen": lambda now: f"{(now.hour - 1) % 12 + 1}:{now.minute:02d}{'AM' if now.hour < 12 else 'PM'}",
    "stamp": stamp,
    "stampmilli": lambda now: f"{stamp(now)}.{now.microsecond // 1000:03d}",
    "stampmicro": lambda now: f"{stamp(now)}.{now.microsecond:06d}",
    "stampnano": lambda now: f"{stamp(now)}.{now.microsecond:06d}000",
}
