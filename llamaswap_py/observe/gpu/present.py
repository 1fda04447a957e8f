"""Whether it is worth asking at all: a few files say which kinds of card there may be. Nothing is begun for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from llamaswap_py.observe.gpu.amd import AMD, said

AUTO, NONE = "auto", "none"
# The driver; and the door through which Windows lends its card to a guest.
NVIDIA = ("proc/driver/nvidia/version", "dev/nvidiactl", "dev/dxg")


def wanted(choice: str, root: Path = Path("/"), platform: str = sys.platform) -> tuple[str, ...]:
    """`choice`: what the configuration says. A kind that is named is asked for, whatever there is to be seen of it."""
    if choice == NONE:
        return ()
    return present(root, platform) if choice == AUTO else (choice,)


def present(root: Path, platform: str) -> tuple[str, ...]:
    if platform == "darwin":
        return ("apple",)
    if platform == "win32":
        library = Path(os.environ.get("SYSTEMROOT", "C:/Windows")) / "System32/nvml.dll"
        return ("nvidia",) if library.exists() else ()
    found = ["nvidia"] if any((root / path).exists() for path in NVIDIA) else []
    vendors = (root / "sys/class/drm").glob("card*/device/vendor")
    if any(said(path) == AMD and (path.parent / "mem_info_vram_total").exists() for path in vendors):
        found.append("amd")
    return tuple(found)
