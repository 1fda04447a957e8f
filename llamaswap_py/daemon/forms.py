"""What a line of our own log looks like: for people, in llama-swap's form, or JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from llamaswap_py.daemon.stamps import STAMPS

NAMES = {
    "debug": "DEBUG",
    "info": "INFO",
    "warning": "WARN",
    "error": "ERROR",
    "exception": "ERROR",
    "critical": "ERROR",
}

Event = MutableMapping[str, Any]
Facts = Mapping[str, str | int | float]


class Form(Protocol):
    def line(self, logger: str, method: str, event: Event) -> str:
        """With its end. `event` is taken apart."""

    def request(self, method: str, message: str, request: str, facts: Callable[[], Facts]) -> str:
        """A finished request: most lines are of this kind, so it asks for the facts only if it shows them."""


class Console:
    def __init__(self, time_format: str = "") -> None:
        self.stamp = STAMPS.get(time_format)

    def begin(self, method: str) -> str:
        when = "" if self.stamp is None else f"{self.stamp(datetime.now().astimezone())} "
        return f"{when}[{NAMES.get(method, 'INFO')}] "

    def line(self, logger: str, method: str, event: Event) -> str:
        message, trace = event.pop("event", ""), event.pop("exception", None)
        event.pop("model", None)  # the message says it
        fields = "".join(f" {key}={value}" for key, value in event.items())
        return f"{self.begin(method)}{message}{fields}\n" + (f"{trace}\n" if trace else "")

    def request(self, method: str, message: str, request: str, facts: Callable[[], Facts]) -> str:
        return f"{self.begin(method)}{message} request={request}\n"


class Json:
    """Times are RFC 3339 with milliseconds, whatever `logTimeFormat` says."""

    def __init__(self) -> None:
        import msgspec  # here, lest every command that prints a line reads it

        self.encode = msgspec.json.Encoder(enc_hook=str).encode

    def line(self, logger: str, method: str, event: Event) -> str:
        said = {"event": event.pop("event", ""), **event}
        return self.text({**self.head(logger, method), **said})

    def request(self, method: str, message: str, request: str, facts: Callable[[], Facts]) -> str:
        return self.text({**self.head("access", method), "event": message, "request": request, **facts()})

    def head(self, logger: str, method: str) -> dict[str, object]:
        now = datetime.now().astimezone()
        return {
            "time": now.isoformat(timespec="milliseconds"),
            "level": NAMES.get(method, "INFO").lower(),
            "logger": logger,
        }

    def text(self, fields: Mapping[str, object]) -> str:
        try:
            return self.encode(fields).decode() + "\n"
        except UnicodeEncodeError:  # half a character of somebody's name or address
            return self.encode(mended(fields)).decode() + "\n"


def mended(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {mended(name): mended(each) for name, each in value.items()}
    return [mended(each) for each in value] if isinstance(value, Sequence) else value


def form_of(log_format: str, time_format: str = "") -> Form:
    return Json() if log_format == "json" else Console(time_format)


def gap(form: Form) -> Callable[[int], bytes]:
    """How our own log says that something is missing in it."""

    def say(lines: int) -> bytes:
        text = f"{lines} line{'s' if lines > 1 else ''} of the log lost: whoever takes it did not keep up"
        return form.line("logs", "warning", {"event": text, "lost": lines}).encode()

    return say
