"""The running program behind TLS."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from tests.whole.program import LONG, ROOT, Program, config, model
from tests.whole.talk import CHAT, chat_body, streamed


class Files:
    """A certificate for the loopback, as its two files."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.certificate = folder / "cert.pem"
        self.key = folder / "key.pem"
        self.context = ssl.create_default_context()
        self.authority.configure_trust(self.context)

    def issue(self, *, key_too: bool = True) -> None:
        made = self.authority.issue_cert("127.0.0.1", "localhost")
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        if key_too:
            self.key.write_bytes(made.private_key_pem.bytes())

    @property
    def flags(self) -> tuple[str, str]:
        return f"--tls-cert-file={self.certificate}", f"--tls-key-file={self.key}"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    files = Files(tmp_path)
    files.issue()
    return files


@pytest.fixture
def program(tmp_path: Path, files: Files) -> Iterator[Program]:
    with Program(tmp_path, config(model("one")), *files.flags, watch=False) as started:
        assert started.url.startswith("https://")
        yield started


def serial(program: Program, files: Files, name: str | None = "127.0.0.1") -> str:
    """Of the certificate that a new connection is shown."""
    url = httpx.URL(program.url)
    with socket.create_connection((url.host, url.port or 0), LONG) as plain:
        context = files.context
        if name is None:
            context = ssl.create_default_context()
            files.authority.configure_trust(context)
            context.check_hostname = False
        with context.wrap_socket(plain, server_hostname=name) as secure:
            shown = secure.getpeercert()
            assert shown is not None
            return str(shown["serialNumber"])


def test_streams_and_bodies_pass_through_tls(program: Program, files: Files) -> None:
    with httpx.Client(base_url=program.url, verify=files.context, timeout=LONG) as client:
        response = client.post(CHAT, json=chat_body("one", "hello"))
        assert response.content == streamed("one", "hello")
        slowly = "[fake words=20 interval=0.01]"  # each event a write of its own
        assert client.post(CHAT, json=chat_body("one", slowly)).content == streamed("one", slowly, 20)
        answer = client.post(CHAT, json=chat_body("one", "x" * 300_000, stream=False)).raise_for_status()
        assert answer.headers["X-Request-ID"]


def test_a_new_certificate_is_shown_to_new_connections_and_open_ones_stay(program: Program, files: Files) -> None:
    """Also to those that name no host."""
    with httpx.Client(base_url=program.url, verify=files.context, timeout=LONG) as client:
        client.get("/health").raise_for_status()
        before = serial(program, files)
        files.issue()
        after = serial(program, files)
        assert after != before
        assert serial(program, files, name=None) == after
        client.get("/health").raise_for_status()
    program.wait_for("certificate was read again")


def test_a_certificate_that_does_not_fit_its_key_is_not_used(program: Program, files: Files) -> None:
    """The one before serves on, until both are there."""
    before = serial(program, files)
    files.issue(key_too=False)
    assert serial(program, files) == before
    program.wait_for("not read again.*serves on")
    files.key.unlink()
    assert serial(program, files) == before
    files.issue()
    assert serial(program, files) != before


def test_who_speaks_plain_http_is_turned_away_and_nobody_else_notices(program: Program, files: Files) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(program.url.replace("https", "http") + "/health", timeout=LONG)
    assert serial(program, files)


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llamaswap_py", *flags]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=False)


def test_one_file_without_the_other_is_refused(tmp_path: Path) -> None:
    ended = run("--tls-cert-file=a.pem", f"--config={tmp_path / 'none.yaml'}")
    assert ended.returncode == 1
    assert "give both" in ended.stderr


def test_files_that_cannot_be_used_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("models: {}\n")
    ended = run(
        f"--config={tmp_path / 'config.yaml'}",
        "--listen=127.0.0.1:0",
        "--tls-cert-file=/nowhere/cert.pem",
        "--tls-key-file=/nowhere/key.pem",
    )
    assert ended.returncode == 1
    assert "cannot serve https with /nowhere/cert.pem" in ended.stderr
