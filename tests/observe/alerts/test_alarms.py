"""Every rule driven over its limit and back by a clock that the test moves, heard by real receivers once each way."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from msgspec.structs import replace

from llamaswap_py.config.values import Receiver
from llamaswap_py.observe.alerts.standing import part, scores
from llamaswap_py.observe.alerts.wording import signature
from tests.fakes.receivers import HttpReceiver, MailReceiver
from tests.observe.alerts.scene import EPOCH, Scene, scene


def cpu(it: Scene, high: bool) -> None:
    it.cpu = 85.0 if high else 10.0


def memory(it: Scene, high: bool) -> None:
    it.memory = 90.0 if high else 10.0


def gpu(it: Scene, high: bool) -> None:
    it.gpu = 83.0 if high else 50.0


def errors(it: Scene, high: bool) -> None:
    it.each = lambda: it.requests(50, failed=5 if high else 0)


def slow(it: Scene, high: bool) -> None:
    it.each = lambda: it.requests(5, seconds=12.0 if high else 0.2)


def thrash(it: Scene, high: bool) -> None:
    it.each = (lambda: it.swap(10.0)) if high else lambda: None


def restarts(it: Scene, high: bool) -> None:
    if high:
        it.crash()
        it.crash()


def disk(it: Scene, high: bool) -> None:
    it.disk = 93.0 if high else 50.0


WAYS = {
    "cpu_usage": cpu,
    "memory_usage": memory,
    "gpu_temperature": gpu,
    "error_rate": errors,
    "response_time": slow,
    "swap_thrash": thrash,
    "restarts": restarts,
    "disk_usage": disk,
}


@pytest.fixture
def web() -> Iterator[HttpReceiver]:
    with HttpReceiver() as receiver:
        yield receiver


@pytest.fixture
def post() -> Iterator[MailReceiver]:
    with MailReceiver() as receiver:
        yield receiver


def mail_to(post: MailReceiver, **more: Any) -> Receiver:
    usual = Receiver("mail", "email", host="127.0.0.1", port=post.port, tls="none", sender="a@b.org", to=("c@d.org",))
    return replace(usual, **more)


def events(web: HttpReceiver) -> list[tuple[str, str]]:
    told = [json.loads(heard.body) for heard in web.heard if heard.path == "/hook"]
    return [(each["alert"]["rule"], each["event"]) for each in told]


@pytest.mark.parametrize("rule", WAYS)
async def test_a_rule_is_driven_over_its_limit_and_back(rule: str, web: HttpReceiver, post: MailReceiver) -> None:
    hook = Receiver("hook", "webhook", url=f"{web.url}/hook", secret="s3cret")
    chat = Receiver("chat", "slack", url=f"{web.url}/slack")
    phone = Receiver("phone", "ntfy", url=f"{web.url}/topic", token="tk_1")
    async with scene(hook, chat, phone, mail_to(post)) as it:
        await it.hold(120)
        assert (web.heard, post.heard) == ([], [])
        WAYS[rule](it, True)
        await it.hold(1200 if rule != "restarts" else 120)
        assert events(web) == [(rule, "fired")]
        WAYS[rule](it, False)
        await it.hold(1200)
        assert events(web) == [(rule, "fired"), (rule, "resolved")]
        assert it.alarms.judge.firing == {}
    assert sorted(heard.path for heard in web.heard) == ["/hook"] * 2 + ["/slack"] * 2 + ["/topic"] * 2
    assert [mail["Subject"] for mail in post.heard] == [
        f"[llamaswap] warning: {rule} at box",
        f"[llamaswap] resolved: {rule} at box",
    ]
    assert [row["state"] for row in it.told] == ["firing", "resolved"]
    for heard in web.heard:
        if heard.path == "/hook":
            made = signature("s3cret", heard.headers["X-Llamaswap-Timestamp"], heard.body)
            assert heard.headers["X-Llamaswap-Signature"] == f"sha256={made}"


async def test_a_receiver_that_is_down_hears_it_later_and_once(web: HttpReceiver) -> None:
    """Its port refuses connections while the alert begins and ends."""
    with HttpReceiver(down=True) as late:
        hook = Receiver("late", "webhook", url=f"{late.url}/hook")
        async with scene(hook, Receiver("web", "webhook", url=f"{web.url}/hook")) as it:
            line = it.alarms.courier.outbox.lines["late"]
            tried = asyncio.Event()

            async def pause(woken: asyncio.Event, seconds: float) -> None:
                tried.set()
                await woken.wait()

            it.alarms.means.pause = pause
            for it.cpu in (99.0, 5.0):
                it.looks(30)
            await tried.wait()
            await asyncio.to_thread(web.wait_for, lambda: len(web.heard) == 2)
            assert ([each.kind for each in line.parcels], late.heard) == (["fired", "resolved"], [])
            assert "Cannot connect" in line.trouble
            late.up()
            it.time = line.due
            it.alarms.courier.woken["late"].set()
            await it.settled()
            assert [json.loads(heard.body)["event"] for heard in late.heard] == ["fired", "resolved"]
            assert (line.delivered, line.trouble, list(line.parcels)) == (2, "", [])


async def test_what_was_not_delivered_outlives_the_program(tmp_path: Path, web: HttpReceiver) -> None:
    """An alert that fires goes on after the restart, is not told again, and its end is."""
    path = tmp_path / "alerts.json"
    hook = Receiver("hook", "webhook", url=f"{web.url}/hook")
    other = Receiver("other", "webhook", url=f"{web.url}/hook")
    web.status = 503

    async def never(woken: asyncio.Event, seconds: float) -> None:
        await asyncio.Event().wait()

    async with scene(hook, path=path) as it:
        it.alarms.means.pause = never
        it.gpu = 99.0
        it.looks(20)
        it.alarms.judge.silence("disk_usage", EPOCH + 1e6, "work")
        await asyncio.to_thread(web.wait_for, lambda: web.tries > 0)
    assert (web.heard, path.exists()) == ([], True)
    assert web.url not in path.read_text()
    web.status = 200
    async with scene(hook, other, path=path) as it:
        it.time = 1000.0
        it.gpu = 99.0
        await it.hold(600)
        assert events(web) == [("gpu_temperature", "fired")]
        assert it.alarms.judge.silent("disk_usage", EPOCH)
        it.gpu = 40.0
        await it.hold(120)
    assert events(web)[1:] == [("gpu_temperature", "resolved")] * 2
    async with scene(hook, path=path) as it:
        await it.hold(60)
        assert len(web.heard) == 3
        assert [alert.rule for alert in it.alarms.judge.past] == ["gpu_temperature"]


async def test_a_file_that_is_damaged_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "alerts.json"
    path.write_bytes(b'{"firing": [{"id"')
    async with scene(path=path) as it:
        assert it.alarms.judge.firing == {}
        it.cpu = 99.0
        await it.hold(330)
    assert b"cpu_usage" in path.read_bytes()


async def test_a_folder_that_cannot_be_written_to_costs_no_alert(tmp_path: Path, web: HttpReceiver) -> None:
    hook = Receiver("hook", "webhook", url=f"{web.url}/hook")
    async with scene(hook, path=tmp_path / "nowhere" / "alerts.json") as it:
        it.cpu = 99.0
        await it.hold(330)
    assert events(web) == [("cpu_usage", "fired")]


async def test_who_hears_of_what_is_critical_hears_from_when_it_is_and_its_end(web: HttpReceiver) -> None:
    grave = Receiver("grave", "webhook", url=f"{web.url}/grave", least="critical")
    every = Receiver("every", "webhook", url=f"{web.url}/hook")
    async with scene(grave, every) as it:
        it.cpu = 85.0
        await it.hold(330)
        it.cpu = 10.0
        await it.hold(90)
        assert [heard.path for heard in web.heard] == ["/hook", "/hook"]
        it.cpu = 85.0
        await it.hold(330)
        it.cpu = 99.0
        await it.hold(330)
        it.cpu = 10.0
        await it.hold(90)
    told = [json.loads(heard.body)["event"] for heard in web.heard if heard.path == "/grave"]
    assert told == ["worse", "resolved"]


def loopback(trusted: Path) -> ssl.SSLContext:
    """A server's, with a certificate whose authority is written there."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(trusted)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_a_webhook_by_https_is_told_if_its_certificate_is_good(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with HttpReceiver(loopback(tmp_path / "ca.pem")) as web:
        hook = Receiver("hook", "webhook", url=f"{web.url}/hook")
        async with scene(hook) as it:
            trouble = await it.alarms.courier.test("hook")
            assert trouble is not None
            assert "certificate verify failed" in trouble.why
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
            assert await it.alarms.courier.test("hook") is None
            assert len(web.heard) == 1


async def test_mail_by_starttls_with_a_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = loopback(tmp_path / "ca.pem")
    with MailReceiver(context, ("me", "pa55word")) as post:
        post.answers = ["451 try again"]
        mail = mail_to(post, tls="starttls", username="me", password="pa55word")
        async with scene(mail) as it:
            it.cpu = 99.0
            await it.hold(330)
            assert (len(post.heard), post.tries) == (1, 2)
            it.alarms.adopt(replace(it.alarms.alerts, receivers={"mail": replace(mail, password="wrong")}))
            trouble = await it.alarms.courier.test("mail")
            assert trouble is not None
            assert "refuses the login" in trouble.why
            assert await it.alarms.courier.test("mail") == trouble


async def test_what_a_receiver_refuses_for_what_it_is_is_given_up(web: HttpReceiver, post: MailReceiver) -> None:
    web.status = 400
    post.answers = ["554 no spam"] * 3
    hook = Receiver("hook", "webhook", url=f"{web.url}/hook")
    async with scene(hook, mail_to(post)) as it:
        it.cpu = 99.0
        await it.hold(330)
        lines = it.alarms.courier.outbox.lines
        assert [(line.given_up, len(line.parcels)) for line in lines.values()] == [(1, 0), (1, 0)]
        assert (web.tries, post.tries) == (3, 3)


async def test_no_secret_is_in_what_is_said_of_a_receiver(web: HttpReceiver) -> None:
    bad = Receiver("bad", "webhook", url="http://user:pass word@nowhere.invalid:port/canary")
    async with scene(bad, Receiver("web", "webhook", url=f"{web.url}/x", headers={"X": "a\nb"})) as it:
        for name in ("bad", "web"):
            trouble = await it.alarms.courier.test(name)
            assert trouble is not None
            assert "canary" not in trouble.why


async def test_health_and_metrics_count_what_nobody_has_dealt_with(web: HttpReceiver) -> None:
    async with scene(Receiver("hook", "webhook", url=f"{web.url}/hook")) as it:
        assert part(it.alarms) == {"status": "ok", "firing": 0, "critical": 0, "undelivered": 0}
        it.cpu = 99.0
        await it.hold(330)
        assert part(it.alarms) == {"status": "degraded", "firing": 1, "critical": 1, "undelivered": 0}
        values = {score.metric.name: score.values for score in scores(it.alarms)}
        assert values["llamaswap_alerts_firing"]["cpu_usage",] == 1.0
        assert values["llamaswap_alerts_firing"]["disk_usage",] == 0.0
        assert values["llamaswap_alert_messages_total"] == {("hook", "delivered"): 1}
        assert values["llamaswap_alert_messages_waiting"] == {("hook",): 0}
        alert = it.alarms.judge.find("cpu_usage")
        assert alert is not None
        it.alarms.acknowledge(alert, "me", "on it")
        assert part(it.alarms)["status"] == "ok"
        it.alarms.unacknowledge(it.alarms.judge.firing["cpu_usage"])
        assert part(it.alarms)["status"] == "degraded"
        it.alarms.silence("cpu_usage", 60.0, "work")
        assert part(it.alarms)["status"] == "ok"
        assert it.alarms.speak("cpu_usage")


async def test_the_running_watch_looks_by_itself_and_another_configuration_wakes_it() -> None:
    async with scene() as it:
        looks = asyncio.Queue[float]()

        async def pause(woken: asyncio.Event, seconds: float) -> None:
            looks.put_nowait(seconds)
            await woken.wait()

        it.alarms.means.pause = pause
        it.alarms.begin()
        assert await looks.get() == 15.0
        it.alarms.adopt(it.alarms.alerts)
        it.alarms.adopt(replace(it.alarms.alerts, every=5.0))
        assert await looks.get() == 5.0


async def test_the_real_disks_are_looked_at(tmp_path: Path) -> None:
    async with scene() as it:
        it.sensors.places = lambda: [tmp_path, tmp_path / "not yet there", Path("/proc")]
        it.alarms.look()
        await it.settled()
        it.time += 1
        readings = it.sensors.read(it.alarms.means.now(), 300)
        assert 0 < readings["disk_usage"].value <= 100
