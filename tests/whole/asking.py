"""Plain questions to the running program, one after the other."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.whole.program import LONG, Program

Shape = Callable[[httpx.Response], tuple[str, str]]  # reads a refusal: its code and its sentence

# Nothing here is encrypted, and a client that reads the machine's certificates first takes 30 ms to make.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextmanager
def caller(program: Program, key: str = "") -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(
        base_url=program.url, headers=headers, timeout=LONG, verify=NO_CERTIFICATES, trust_env=False
    ) as client:
        yield client


def running(program: Program, key: str = "") -> dict[str, dict[str, Any]]:
    """The rows of `/running` by model."""
    with caller(program, key) as client:
        rows = client.get("/running").raise_for_status().json()["running"]
    return {row["model"]: row for row in rows}


def pids(program: Program, key: str = "") -> dict[str, int]:
    """The process of each model that is up."""
    return {model: row["pid"] for model, row in running(program, key).items() if row["state"] == "ready"}


def forgive(program: Program, model: str) -> None:
    """A model that failed a moment ago may be tried again."""
    with caller(program) as client:
        client.post(f"/api/models/reset/{model}").raise_for_status()


def turned_away(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Asked until the model is not tried again: a busy machine lets a pause pass, and the next one is longer."""
    while (response := ask()).status_code == 502:
        pass
    return response


@contextmanager
def taken_port() -> Iterator[int]:
    """A port of the loopback on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port: int = other.getsockname()[1]
        yield port


def openai_shape(response: httpx.Response) -> tuple[str, str]:
    """The code and the sentence."""
    body = response.json()
    assert body["src"] == "llama-swap"
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return body["error"]["code"], body["error"]["message"]


def anthropic_shape(response: httpx.Response) -> tuple[str, str]:
    """The type, which is all the code there is, and the sentence."""
    body = response.json()
    assert body["type"] == "error"
    assert body["request_id"] == response.headers["X-Request-ID"]
    assert set(body["error"]) == {"type", "message"}
    return body["error"]["type"], body["error"]["message"]


def chat(program: Program, name: str, prompt: str) -> httpx.Response:
    body = {"model": name, "messages": [{"role": "user", "content": prompt}]}
    with caller(program) as client:
        return client.post("/v1/chat/completions", json=body)
