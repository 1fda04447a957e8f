"""The state directory: one owner per listen address, and what a dead owner left running."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import structlog

from llamaswap_py.keeper import table

log = structlog.get_logger("state")

APP = "llamaswap"


def default_directory(env: dict[str, str]) -> Path:
    if env.get("LLAMASWAP_STATE"):
        return Path(env["LLAMASWAP_STATE"])
    home = Path(env["HOME"]) if env.get("HOME") else Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / APP
    return Path(env.get("XDG_STATE_HOME") or home / ".local" / "state") / APP


class InUse(Exception):
    """Another living program owns this listen address."""


class State:
    """Held from start to end; the lock goes with the process, however it ends."""

    def __init__(self, directory: Path, listen: str) -> None:
        self.directory = directory
        name = "".join(c if c.isalnum() or c in ".-" else "_" for c in listen)
        self.path = directory / f"owner-{name}.json"
        self.records = directory / f"runs-{name}"
        self.alerts = directory / f"alerts-{name}.json"
        self.lock: int | None = None

    def take(self) -> str | None:
        """Become the owner. Returns the marker of the children of a dead one before us, if there was one since the
        machine was started."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.lock = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if not lock_file(self.lock):
            owner = self.read().get("pid")
            os.close(self.lock)
            self.lock = None
            raise InUse(f"another llamaswap (pid {owner}) already serves this address; its state is in {self.path}")
        before = self.read()
        token = before.get("token")
        return token if isinstance(token, str) and before.get("boot", table.boot()) == table.boot() else None

    def read(self) -> dict[str, object]:
        assert self.lock is not None
        try:
            record = json.loads(os.pread(self.lock, 64 * 1024, 0) or b"{}")
        except ValueError:
            return {}  # written half by a machine that went down
        return record if isinstance(record, dict) else {}

    def own(self, token: str) -> None:
        """From now on children carry this token."""
        self.write({"pid": os.getpid(), "token": token, "boot": table.boot()})

    def write(self, record: dict[str, object]) -> None:
        assert self.lock is not None
        try:
            os.ftruncate(self.lock, 0)
            os.pwrite(self.lock, json.dumps(record).encode(), 0)
        except OSError as error:
            log.warning(
                f"cannot write {self.path}: {error}; if this program is killed, the next will not know what it left"
            )

    def release(self) -> None:
        """A clean end leaves nothing behind to clear."""
        if self.lock is not None:
            self.write({})
            os.close(self.lock)
            self.lock = None


def lock_file(descriptor: int) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
