"""What is watched and who is told, as it is written."""

from __future__ import annotations

import pytest

from llamaswap_py.config.values import ALERT_RULES, AlertRule, Alerts, Receiver
from tests.config.reading import config, mistake, warning

SECRET_URL = "https://hooks.example.org/canary"


def test_without_a_word_the_usual_rules_hold() -> None:
    assert config("").alerts == Alerts()
    assert config("alerts: {every: 5}").alerts == Alerts(every=5.0)


def test_rules_and_receivers_are_what_was_written() -> None:
    found = config(f"""
    alerts:
      disabled: true
      every: 30s
      window: 10m
      calm: 0
      margin: 10
      cpu_usage: {{warning: 0, critical: 99, duration: 10m}}
      disk_usage: {{critical: 0}}
      receivers:
        hook: {{kind: webhook, url: " {SECRET_URL} ", secret: s, headers: {{A: b}}}}
        mail: {{kind: email, host: h, port: 25, tls: none, from: a@b, to: [c@d, " "], least: critical}}
    """).alerts
    assert (found.disabled, found.every, found.window, found.calm, found.margin) == (True, 30, 600, 0, 10)
    assert found.rules == {
        **ALERT_RULES,
        "cpu_usage": AlertRule(0, 99, 600),
        "disk_usage": AlertRule(90, 0, 60),
    }
    assert list(found.receivers.values()) == [
        Receiver("hook", "webhook", url=SECRET_URL, secret="s", headers={"A": "b"}),
        Receiver("mail", "email", "critical", host="h", port=25, tls="none", sender="a@b", to=("c@d",)),
    ]


def test_the_names_that_the_service_with_dashboards_had_are_ours() -> None:
    """Its own file, as it stands in its manual."""
    found = config("""
    alerts:
      cpu_usage: {warning: 80, critical: 95, duration: 300}
      memory_usage: {warning: 85, critical: 95, duration: 300}
      gpu_temperature: {warning: 80, critical: 85, duration: 180}
      error_rate: {warning: 5, critical: 15, duration: 120}
      response_time: {warning: 10000, critical: 30000, duration: 180}
    """)
    assert found.alerts == Alerts()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("alerts: {cpu_usage: {warning: 90, critical: 80}}", "alerts.cpu_usage.critical"),
        ("alerts: {receivers: {a: {url: 'https://x'}}}", "alerts.receivers.a"),
        ("alerts: {receivers: {a: }}", "alerts.receivers.a"),
        ("alerts: {receivers: {a: {kind: slack}}}", "alerts.receivers.a.url"),
        ("alerts: {receivers: {a: {kind: slack, url: 'ftp://canary'}}}", "alerts.receivers.a.url"),
        ("alerts: {receivers: {a: {kind: ntfy, url: 'http://canary:port'}}}", "alerts.receivers.a.url"),
        ("alerts: {receivers: {a: {kind: email, to: [a@b], from: c@d}}}", "alerts.receivers.a.host"),
        ("alerts: {receivers: {a: {kind: email, host: h, from: c@d}}}", "alerts.receivers.a.to"),
        ("alerts: {receivers: {a: {kind: email, host: h, to: [a@b]}}}", "alerts.receivers.a.from"),
    ],
)
def test_what_cannot_be_is_told_without_the_address(text: str, key: str) -> None:
    found = mistake(text)
    assert found.key == key
    assert found.remedy
    assert "canary" not in str(found)


def test_a_kind_that_there_is_not_is_told_by_its_word() -> None:
    assert mistake("alerts: {receivers: {a: {kind: slak}}}").remedy == "Did you mean slack?"


def test_a_password_that_goes_unprotected_is_told() -> None:
    text = "alerts: {receivers: {a: {kind: email, host: h, to: [a@b], username: u, password: p, tls: none}}}"
    assert warning(text).key == "alerts.receivers.a.tls"
