"""What is watched and who is told of it, as it is written under `alerts`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from llamaswap_py.config.fields import Fields
from llamaswap_py.config.tree import inside
from llamaswap_py.config.values import ALERT_RULES, AlertRule, Alerts, Receiver

ADDRESS = "Write `url: https://…`."


def read_alerts(document: Fields) -> Alerts:
    fields = document.child("alerts")
    return Alerts(
        disabled=fields.value("disabled"),
        every=fields.value("every"),
        window=fields.value("window"),
        calm=fields.value("calm"),
        margin=fields.value("margin"),
        rules=MappingProxyType({name: read_rule(fields.child(name)) for name in ALERT_RULES}),
        receivers=read_receivers(fields),
    )


def read_rule(fields: Fields) -> AlertRule:
    found = AlertRule(fields.value("warning"), fields.value("critical"), fields.value("duration"))
    if 0 < found.critical < found.warning:
        message = f"{found.critical} is reached before `warning: {found.warning}`"
        fields.wrong("critical", message, "Write a number that is not smaller, or 0 for a limit that is none.")
    return found


def read_receivers(alerts: Fields) -> Mapping[str, Receiver]:
    entries = alerts.named("receivers")
    found = {}
    for name, node in entries.entries.items():
        path = inside(inside(alerts.path, "receivers"), name)
        fields = Fields(node, "alerts.receivers.*", path, alerts.report)
        found[name] = read_receiver(name, fields)
        if fields.node is None or fields.get("kind") is None:
            alerts.report.wrong(
                entries.keys[name], path, "it is not said what it is", "Write `kind: webhook`, or another."
            )
    return MappingProxyType(found)


def read_receiver(name: str, fields: Fields) -> Receiver:
    receiver = Receiver(
        id=name,
        kind=fields.value("kind"),
        least=fields.value("least"),
        url=fields.value("url").strip(),
        secret=fields.value("secret"),
        token=fields.value("token"),
        headers=fields.value("headers") or MappingProxyType({}),
        host=fields.value("host").strip(),
        port=fields.value("port"),
        tls=fields.value("tls"),
        username=fields.value("username"),
        password=fields.value("password"),
        sender=fields.value("from").strip(),
        to=tuple(filter(None, map(str.strip, fields.value("to")))),
    )
    if receiver.kind == "email":
        check_mail(fields, receiver)
    elif receiver.kind:
        check_address(fields, receiver.url)
    return receiver


def check_address(fields: Fields, url: str) -> None:
    """What it is is never quoted: who knows the address of a webhook may write there."""
    try:
        address = urlsplit(url)
        reachable = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        reachable = False
    if not reachable:
        fields.wrong("url", "this is not an address that messages can be sent to", ADDRESS)


def check_mail(fields: Fields, receiver: Receiver) -> None:
    if not receiver.host:
        fields.wrong("host", "there is no mail server", "Write `host: smtp.example.org`.")
    if not receiver.to:
        fields.wrong("to", "the mail has nobody to go to", "Write `to: [you@example.org]`.")
    if not (receiver.sender or receiver.username):
        fields.wrong("from", "the mail has no sender", "Write `from: llamaswap@example.org`.")
    if receiver.password and receiver.tls == "none":
        fields.warn("tls", "the password goes to the mail server unprotected", "Write `tls: starttls` or `tls: tls`.")
