"""The real program as a child of the test: start it on a configuration, read what it says, edit its file, end it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
FAKE = ROOT / "tests" / "fakes" / "llama_server.py"
SOCKETS = f"{sys.executable} {ROOT / 'tests' / 'fakes' / 'socket_server.py'} --port ${{PORT}}"  # a `cmd`, as of `fake`
LISTENING = re.compile(r"listening on (https?://\S+)")

# Suites that run side by side must not give out the same ports in the same moment: four hundred for each, below all
# that systems give out. From 28,000 on are those of tests that need more.
OWN_PORTS = 10_000 + os.getpid() % 45 * 400

# Nothing here takes this long on a busy machine; a test that waits for it has failed.
LONG = 30.0


def fake(options: str = "") -> str:
    """A `cmd` that runs the fake server on the model's port, under the model's id."""
    return f"{sys.executable} -S {FAKE} --port ${{PORT}} --alias ${{MODEL_ID}} {options}".strip()


def model(name: str, options: str = "", **keys: object) -> str:
    """One model of a configuration file."""
    lines = [f"  {name}:", f"    cmd: {fake(options)}"]
    lines += [f"    {key}: {value}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def config(*models: str, **keys: object) -> str:
    """A configuration file, whose ports are this process's own."""
    head = "".join(f"{key}: {value}\n" for key, value in {"startPort": OWN_PORTS, **keys}.items())
    return f"{head}models:\n{''.join(models)}"


class Program:
    """`with Program(folder, text) as program:` serves `text` at `program.url`."""

    def __init__(
        self, folder: Path, text: str | None, *flags: str, watch: bool = True, env: dict[str, str] | None = None
    ) -> None:
        """Without a text there is no configuration, and the folder is the current one."""
        self.path = folder / "config.yaml"
        self.folder = folder if text is None else ROOT
        if text is not None:
            self.path.write_text(text)
            flags = (f"--config={self.path}", *flags)
        self.flags = ["--listen=127.0.0.1:0", f"--state-dir={folder / 'state'}", *flags]
        self.flags += ["--watch-config"] if watch else []
        self.env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", **(env or {})}
        self.lines: list[str] = []
        self.news = threading.Condition()
        self.over = False
        self.url = ""
        self.before: Callable[[], object] | None = None  # done in the new process before the program is
        self.wrapped: tuple[str, ...] = ()  # a command that becomes the program
        self.command: tuple[str, ...] = (sys.executable, "-m", "llamaswap_py")
        self.kept: tuple[int, ...] = ()  # descriptors that it inherits
        self.stdin = subprocess.DEVNULL

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [*self.wrapped, *self.command, *self.flags],
            cwd=self.folder,
            env=self.env,
            stdin=self.stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=self.kept,
            preexec_fn=self.before,  # noqa: PLW1509 - one system call, and no thread of ours holds a lock for it
        )
        self.reader = threading.Thread(target=self.read_on, daemon=True)
        self.reader.start()
        try:
            match = LISTENING.search(self.wait_for(LISTENING.pattern))
        except AssertionError:
            self.process.kill()  # with it goes all that it started
            self.end()
            raise
        assert match is not None
        self.url = match[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended = self.process.poll()
        if ended is None:
            self.process.send_signal(signal.SIGINT)
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(LONG)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.end()
        if error is not None:
            ending = f"{ended} before the test did" if ended is not None else self.process.returncode
            error.add_note("\n".join([f"The program (exit code {ending}) said:", *self.lines[-200:]]))

    def end(self) -> None:
        self.process.wait()
        self.reader.join(LONG)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def read_on(self) -> None:
        assert self.process.stdout is not None
        for raw in self.process.stdout:
            with self.news:
                self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.over = True
            self.news.notify_all()

    def wait_for(self, pattern: str, after: int = 0, within: float = LONG) -> str:
        """The first line that matches, from the line number `after` on."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + within
        with self.news:
            while not (found := [line for line in self.lines[after:] if wanted.search(line)]):
                left = deadline - time.monotonic()
                if self.over or left <= 0 or not self.news.wait(left):
                    said = "\n".join(self.lines[-40:])
                    raise AssertionError(f"the program never said {pattern!r}; it said:\n{said}")
            return found[0]

    @property
    def said(self) -> int:
        """How many lines it has said: hand it to `wait_for` to wait for something new."""
        with self.news:
            return len(self.lines)

    def edit(self, text: str) -> None:
        """Save the configuration as an editor does, and wait until it was read."""
        before = self.said
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.path)
        self.wait_for(r"configuration (re|not re|read)", before)
