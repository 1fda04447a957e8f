"""What the conformance tests share: models whose server is the mirror, and requests that tell it what to answer."""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.whole.program import LISTENING, LONG, OWN_PORTS, ROOT, Program

MIRROR = ROOT / "tests" / "fakes" / "mirror.py"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def mirror(name: str, **keys: object) -> str:
    """One model of a configuration, served by the mirror."""
    lines = [f"  {name}:", f"    cmd: {sys.executable} -S {MIRROR} --port ${{PORT}} --name ${{MODEL_ID}}"]
    lines += [f"    {key}: {value}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def answer(**told: object) -> dict[str, str]:
    """The header that tells the mirror what to answer."""
    return {"X-Answer": base64.b64encode(json.dumps(told).encode()).decode()}


class Quiet(Program):
    """A program that says nothing when it listens: it is asked whether it does until it does."""

    def __init__(self, folder: Path, text: str) -> None:
        self.address = ("127.0.0.1", OWN_PORTS + 391)
        super().__init__(folder, text, f"--listen=127.0.0.1:{self.address[1]}", watch=False)

    def wait_for(self, pattern: str, after: int = 0, within: float = LONG) -> str:
        if pattern != LISTENING.pattern:
            return super().wait_for(pattern, after, within)
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline:
            try:
                socket.create_connection(self.address).close()
            except ConnectionRefusedError:
                continue
            return f"listening on http://127.0.0.1:{self.address[1]}"
        raise AssertionError("it never listened")


@dataclass
class Seen:
    """A request as the model's server saw it."""

    name: str
    method: str
    target: str
    pairs: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The values under this name, joined; None where it is absent."""
        values = [value for key, value in self.pairs if key.lower() == name.lower()]
        return ", ".join(values) if values else None


def seen(response: httpx.Response) -> Seen:
    """What the mirror says it was asked."""
    assert response.status_code == 200, response.text
    told = response.json()
    pairs = [(name, value) for name, value in told["headers"]]
    return Seen(told["name"], told["method"], told["target"], pairs, base64.b64decode(told["body"]))


def pipe(folder: Path, name: str) -> Path:
    """A named pipe for an answer to be held by."""
    path = folder / name
    os.mkfifo(path)
    return path


def release(path: Path) -> None:
    """Let the answer that is held by this pipe go on."""
    path.write_bytes(b"go")


def multipart(*parts: tuple[str, bytes], file: bytes | None = None, last: bool = True) -> tuple[bytes, dict[str, str]]:
    """A form of these fields and perhaps a file, behind them or in front; and the header that goes with it."""
    fields = [b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' % (name.encode(), value) for name, value in parts]
    if file is not None:
        head = b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
        fields.insert(len(fields) if last else 0, head + file)
    body = b"".join(b"--xyz\r\n%s\r\n" % field for field in fields) + b"--xyz--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=xyz"}
