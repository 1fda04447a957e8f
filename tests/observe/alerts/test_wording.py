"""What receivers read, in the form of each."""

from __future__ import annotations

import email.policy
import json
from email import message_from_bytes

import pytest

from llamaswap_py.config.values import Receiver
from llamaswap_py.observe.alerts.mail import written
from llamaswap_py.observe.alerts.outbox import Parcel
from llamaswap_py.observe.alerts.rules import FIRED, RESOLVED, TEST, Acknowledged, Alert, Level
from llamaswap_py.observe.alerts.wording import amount, example, letter, row, sentence, signature, span, stamp

WALL = 1_767_268_800.0
FIRES = Alert("disk_usage-1", "disk_usage", Level.CRITICAL, WALL, 97.5, 97.5, "at /srv/<models>", 97, Level.CRITICAL)
OVER = Alert("disk_usage-1", "disk_usage", Level.CRITICAL, WALL, 40.0, 98.0, "", 97, Level.CRITICAL, None, WALL + 725)


def sent(receiver: Receiver, kind: str, alert: Alert) -> tuple[dict[str, str], bytes]:
    found = letter(receiver, Parcel("id-1", kind, alert, WALL), "böx", WALL + 60)
    assert found.url == receiver.url
    return dict(found.headers), found.body


@pytest.mark.parametrize(
    ("value", "unit", "text"), [(5.0, "%", "5 %"), (91.44, "%", "91.4 %"), (10432.7, "ms", "10433 ms"), (3, "", "3")]
)
def test_numbers_are_short(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_spans_are_short() -> None:
    assert [span(each) for each in (59.9, 60, 3599, 3600, 90_000)] == [
        "59 s",
        "1 min",
        "59 min",
        "1 h 0 min",
        "25 h 0 min",
    ]


def test_a_sentence_says_what_is_wrong_and_what_was() -> None:
    assert sentence(FIRED, FIRES) == "disk usage is 97.5 % (at /srv/<models>); the limit is 97 %"
    assert sentence(RESOLVED, OVER) == "disk usage is 40 %; it fired for 12 min and reached 98 %"
    lost = Alert("x", "cpu_usage", Level.WARNING, WALL, 1.0, 85.0, ended=WALL + 1, why="nothing is measured any more")
    assert sentence(RESOLVED, lost) == "nothing is measured any more; it fired for 1 s and reached 85 %"
    assert "test" in sentence(TEST, example(WALL))


def test_slack_gets_text_with_its_signs_escaped() -> None:
    _, body = sent(Receiver("s", "slack", url="http://s"), FIRED, FIRES)
    text = json.loads(body)["text"]
    assert text.startswith(":rotating_light: *critical: disk_usage at böx*\n")
    assert "/srv/&lt;models&gt;" in text
    _, body = sent(Receiver("s", "slack", url="http://s"), RESOLVED, OVER)
    assert json.loads(body)["text"].startswith(":white_check_mark: *resolved: disk_usage at böx*")


def test_ntfy_gets_headers_that_are_plain_ascii() -> None:
    headers, body = sent(Receiver("n", "ntfy", url="http://n/t", token="tk"), FIRED, FIRES)
    assert headers == {
        "Content-Type": "text/plain; charset=utf-8",
        "Title": "critical: disk_usage at b?x",
        "Priority": "urgent",
        "Tags": "rotating_light",
        "Authorization": "Bearer tk",
    }
    assert body.decode() == sentence(FIRED, FIRES)
    headers, _ = sent(Receiver("n", "ntfy", url="http://n/t"), RESOLVED, OVER)
    assert (headers["Priority"], headers["Tags"], "Authorization" in headers) == ("default", "white_check_mark", False)


def test_a_webhook_gets_everything_and_its_signature_is_of_the_time_too() -> None:
    receiver = Receiver("w", "webhook", url="http://w", secret="s3", headers={"X-Mine": "1", " ": "no"})
    headers, body = sent(receiver, FIRED, FIRES)
    told = json.loads(body)
    assert told == {
        "id": "id-1",
        "event": "fired",
        "title": "critical: disk_usage at böx",
        "text": sentence(FIRED, FIRES),
        "host": "böx",
        "made": stamp(WALL),
        "alert": row(FIRES),
    }
    moment = headers["X-Llamaswap-Timestamp"]
    assert moment == str(int(WALL + 60))
    assert headers["X-Llamaswap-Signature"] == f"sha256={signature('s3', moment, body)}"
    assert signature("s3", "1", body) != signature("s3", "2", body)
    # python3 -c "import hmac; print(hmac.new(b'key', b'1.{}', 'sha256').hexdigest())"
    assert signature("key", "1", b"{}") == "1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"
    assert (headers["X-Mine"], headers["X-Llamaswap-Delivery"]) == ("1", "id-1")
    plain, _ = sent(Receiver("w", "webhook", url="http://w"), FIRED, FIRES)
    assert "X-Llamaswap-Signature" not in plain


def test_a_row_says_who_knows_of_it() -> None:
    told = row(Alert("x", "restarts", Level.WARNING, WALL, 2.0, 2.0, acknowledged=Acknowledged("me", "ok", WALL)))
    assert told["acknowledged"] == {"by": "me", "note": "ok", "at": "2026-01-01T12:00:00.000Z"}
    assert (told["state"], told["ended"], told["unit"], told["told"]) == ("firing", None, "", False)
    assert row(OVER)["state"] == "resolved"


def test_a_mail_is_whole_and_has_the_same_id_at_every_try() -> None:
    receiver = Receiver("m", "email", host="h", username="me@example.org", to=("a@example.org", "b@example.org"))
    once, again = (written(receiver, Parcel("id-1", RESOLVED, OVER, WALL), "box") for _ in range(2))
    mail = message_from_bytes(once.as_bytes(), policy=email.policy.default)
    assert mail["Subject"] == "[llamaswap] resolved: disk_usage at box"
    assert mail["From"] == "llamaswap <me@example.org>"
    assert mail["To"] == "a@example.org, b@example.org"
    assert mail["Message-ID"] == again["Message-ID"] == "<id-1@llamaswap.invalid>"
    assert "ended: 2026-01-01T12:12:05.000Z" in mail.get_content()
    named = Receiver("m", "email", host="h", sender="Box <box@example.org>", to=("a@example.org",))
    assert written(named, Parcel("id-1", TEST, example(WALL), WALL), "box")["From"] == "Box <box@example.org>"
