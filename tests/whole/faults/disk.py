"""A small disk of the program's own: a mount that only it sees, which the test can fill and free."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.whole.program import Program

NEW_MOUNTS = 0x00020000
PRIVATE = 1 << 18 | 1 << 14  # MS_PRIVATE and MS_REC: no other process learns of what is mounted
READ_ONLY = 1


def mountable() -> bool:
    """Whether this user may mount anything."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return False
    return subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0


def own_disk(folder: Path, size: str, flags: int = 0) -> Callable[[], None]:
    """For `Program.before`."""
    folder.mkdir(exist_ok=True)
    library, place, options = ctypes.CDLL(None, use_errno=True), os.fsencode(folder), f"size={size}".encode()

    def mount() -> None:
        results = (
            library.unshare(NEW_MOUNTS),
            library.mount(b"none", b"/", None, PRIVATE, None),
            library.mount(b"none", place, b"tmpfs", flags, options),
        )
        if any(results):
            raise OSError(ctypes.get_errno(), "cannot mount")

    return mount


def inside(program: Program, folder: Path) -> Path:
    """The same folder as the program sees it."""
    return Path(f"/proc/{program.process.pid}/root{folder}")


def fill(folder: Path) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 4096)
            except OSError:
                return filler
