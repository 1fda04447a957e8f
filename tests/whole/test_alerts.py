"""Alerts of the real program, made to fire by what really befalls it, and heard by real receivers."""

from __future__ import annotations

import json
import os
import signal
from collections import defaultdict
from pathlib import Path

import httpx
import pytest

from tests.fakes.receivers import HttpReceiver, MailReceiver
from tests.whole.asking import caller, pids
from tests.whole.faults.crowd import until
from tests.whole.faults.disk import fill, inside, mountable, own_disk
from tests.whole.following import follow
from tests.whole.program import OWN_PORTS, Program, config, model
from tests.whole.talk import CHAT, chat_body

# What is over its limit is told at once; a machine that stands still for some seconds does not end it.
QUICK = """alerts:
  every: 1
  window: 6
  calm: 8
  error_rate: {{duration: 0}}
  response_time: {{warning: 50, critical: 0, duration: 0}}
  swap_thrash: {{warning: 1, critical: 0, duration: 0}}
  restarts: {{warning: 1, critical: 0}}
  disk_usage: {{warning: {disk}, critical: 0, duration: 0}}
  memory_usage: {{warning: 0, critical: 0}}
  cpu_usage: {{warning: 0, critical: 0}}
  receivers:
    hook: {{kind: webhook, url: "{url}/hook", secret: s3}}
"""
RULES = {"error_rate", "response_time", "swap_thrash", "restarts"}


def ask(client: httpx.Client, name: str) -> int:
    return client.post(CHAT, json=chat_body(name, "hello")).status_code


def heard(receiver: HttpReceiver) -> dict[str, list[str]]:
    """What was told of each rule, in order; a warning that became critical is no other alert."""
    found = defaultdict(list)
    for each in receiver.heard:
        told = json.loads(each.body)
        if told["event"] != "worse":
            found[told["alert"]["rule"]].append(told["event"])
    return found


def fired(receiver: HttpReceiver) -> int:
    return [json.loads(each.body)["event"] for each in receiver.heard].count("fired")


def standing(client: httpx.Client) -> list[tuple[str, str, int]]:
    receivers = client.get("/api/alerts").json()["receivers"]
    return [(each["name"], each["trouble"], each["waiting"]) for each in receivers]


def test_what_befalls_the_program_is_told_once_and_so_is_its_end(tmp_path: Path) -> None:
    """Failing requests, slow answers, swaps and a crash, all at once; then calm."""
    with HttpReceiver() as web, MailReceiver() as post:
        text = QUICK.format(url=web.url, disk=0)
        text += f"    mail: {{kind: email, host: 127.0.0.1, port: {post.port}, tls: none, from: a@b.c, to: [d@e.f]}}\n"
        text += config(model("a", "--first-seconds 0.1"), model("b"), model("dies", "--exit --exit-code 3"))
        with Program(tmp_path, text, watch=False) as program, caller(program) as client, follow(program) as page:

            def trouble() -> bool:
                for name in ("a", "b", *["dies"] * 4):
                    ask(client, name)
                for pid in pids(program).values():
                    os.kill(pid, signal.SIGKILL)
                return heard(web).keys() >= RULES

            until(trouble)
            assert page.until("alert", lambda row: row["state"] == "firing").event == "alert"
            told = client.get("/api/alerts").json()
            assert {row["rule"] for row in told["firing"]} == RULES
            assert 'llamaswap_alerts_firing{rule="restarts"} 1.0' in client.get("/metrics").text
            web.wait_for(lambda: all(len(events) == 2 for events in heard(web).values()))
            until(lambda: client.get("/api/alerts").json()["firing"] == [])
            assert dict(heard(web)) == {rule: ["fired", "resolved"] for rule in RULES}
            page.until("alert", lambda row: row["state"] == "resolved")
            post.wait_for(lambda: len(post.heard) == len(web.heard))
            done = [("hook", "", 0), ("mail", "", 0)]
            until(lambda: standing(client) == done)
            assert web.url not in client.get("/api/config").text
        said = "\n".join(program.lines)
        assert "alert fired: restarts after failures is" in said
        assert "alert resolved: restarts after failures is 0" in said


def test_what_a_receiver_missed_it_hears_after_a_restart_and_once(tmp_path: Path) -> None:
    """Silences and acknowledgements are kept, too."""
    listen = f"--listen=127.0.0.1:{OWN_PORTS + 392}"
    with HttpReceiver() as web:
        text = QUICK.format(url=web.url, disk=0).replace("calm: 8", "calm: 3600") + config(model("dies", "--exit"))
        web.status = 503
        with Program(tmp_path, text, listen, watch=False) as program, caller(program) as client:

            def failing() -> bool:
                return ask(client, "dies") < 500 or web.tries > 0

            until(failing)
            answer = client.post("/api/alerts/error_rate/acknowledge", json={"note": "on it"}).raise_for_status().json()
            assert answer["acknowledged"]["note"] == "on it"
            client.post("/api/alerts/disk_usage/silence", json={"for": "2h", "note": "moving"}).raise_for_status()
            assert client.post("/api/alerts/nothing/silence").status_code == 404
            assert client.post("/api/alerts/nothing/acknowledge").status_code == 404
            assert client.post("/api/alerts/receivers/hook/test").json()["delivered"] is False
        web.status = 200
        with Program(tmp_path, text, listen, watch=False) as program, caller(program) as client:
            web.wait_for(lambda: heard(web)["error_rate"] == ["fired"])
            told = client.get("/api/alerts").json()
            known = {row["rule"]: row for row in told["firing"]}
            assert known["error_rate"]["acknowledged"]["note"] == "on it"
            assert client.get("/health?full").json()["components"]["alerts"]["status"] == "ok"
            client.delete("/api/alerts/error_rate/acknowledge").raise_for_status()
            assert client.get("/health?full").json()["components"]["alerts"]["status"] == "degraded"
            rules = {row["rule"]: row for row in told["rules"]}
            assert rules["disk_usage"]["silence"]["note"] == "moving"
            client.delete("/api/alerts/disk_usage/silence").raise_for_status()
            assert client.delete("/api/alerts/disk_usage/silence").status_code == 404
            assert client.post("/api/alerts/receivers/hook/test").json() == {
                "receiver": "hook",
                "delivered": True,
                "trouble": "",
            }
            assert client.post("/api/alerts/receivers/nobody/test").status_code == 404
            web.wait_for(lambda: fired(web) >= len(known))
        assert fired(web) == len(known)


@pytest.mark.skipif(not mountable(), reason="a disk of its own can be given to a program only by root")
def test_a_disk_that_becomes_full_is_told_and_so_is_its_room(tmp_path: Path) -> None:
    disk = tmp_path / "state"
    with HttpReceiver() as web:
        text = QUICK.format(url=web.url, disk=95).replace("calm: 4", "calm: 0") + config(model("a"))
        program = Program(tmp_path, text, watch=False)
        program.before = own_disk(disk, "1m")
        with program:
            filler = fill(inside(program, disk))
            web.wait_for(lambda: heard(web)["disk_usage"] == ["fired"])
            filler.unlink()
            web.wait_for(lambda: heard(web)["disk_usage"] == ["fired", "resolved"])
            program.wait_for("alerts cannot be kept")
