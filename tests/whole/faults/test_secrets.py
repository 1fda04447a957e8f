"""Keys and secrets stay where they belong, whatever is asked and whatever goes wrong."""

from __future__ import annotations

from pathlib import Path

import httpx
import psutil
import pytest

from tests.whole.asking import NO_CERTIFICATES, caller
from tests.whole.program import LONG, Program, config, model
from tests.whole.talk import CHAT, chat_body

KEY, WRONG, OWN, HIDDEN = "canary-key-7351", "canary-wrong-7352", "canary-own-7353", "canary-hidden-7354"
CANARIES = (KEY, WRONG, OWN, HIDDEN)
SHOWN_TO_PAGES = (
    "/running",
    "/v1/models",
    "/metrics",
    "/logs",
    "/logs/stream/upstream?no-follow",
    "/api/config",
    "/api/metrics/activity",
    "/api/metrics/stats",
    "/api/captures/1",
    "/api/hardware",
    "/api/version",
    "/ui/",
)


def text() -> str:
    """The model's server has a key of its own in its environment; another one ends with it on its lips."""
    good = model("a", env=f'["OWN_KEY={OWN}"]')
    bad = model("b", "--exit --exit-code 3", env=f'["HF_TOKEN={HIDDEN}"]')
    return f"apiKeys: [{KEY}]\n{config(good, bad)}"


@pytest.mark.parametrize("level", ["info", "debug"])
def test_l97_no_canary_sings(tmp_path: Path, level: str) -> None:
    """Asked with a right key, a wrong one and one in the address; a model that fails; a reload that is turned down."""
    told: list[str] = []
    with Program(tmp_path, f"logLevel: {level}\n{text()}") as program:
        with caller(program, KEY) as client:
            client.post(CHAT, json=chat_body("a", "hello")).raise_for_status()
            told.append(client.post(CHAT, json=chat_body("b", "hello")).text)
            told.append(refused(program))
            program.edit(f"apiKeys: [{KEY}]\nmodels: [{HIDDEN}]\n")
            for path in SHOWN_TO_PAGES:
                answer = client.get(path)
                told.append(f"{path}: {answer.headers} {answer.text}")
        told += psutil.Process(program.process.pid).cmdline()
    told += program.lines
    assert [line for line in told if any(canary in line for canary in CANARIES)] == []


def refused(program: Program) -> str:
    """What a stranger is told."""
    with httpx.Client(base_url=program.url, timeout=LONG, verify=NO_CERTIFICATES, trust_env=False) as client:
        wrong = client.get("/running", headers={"Authorization": f"Bearer {WRONG}"})
        asked = client.get("/v1/models", headers={"x-api-key": WRONG})
        assert {wrong.status_code, asked.status_code} == {401}
        return wrong.text + asked.text
