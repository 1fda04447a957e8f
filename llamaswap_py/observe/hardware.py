"""What machine this is: found out once, by a thread, while the first callers are served."""

from __future__ import annotations

import platform
import re
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

FAMILIES = {"linux": "linux", "darwin": "macos", "win32": "windows", "freebsd": "freebsd"}
ARCHITECTURES = {"amd64": "x86_64", "aarch64": "arm64", "armv7l": "armv7", "ppc64": "other"}
KNOWN = ("x86_64", "arm64", "armv7", "ppc64le", "riscv64", "s390x")
MACHINES = ("KVM", "QEMU", "VirtualBox", "VMware", "Virtual Machine", "Xen", "HVM", "Bochs")

Facts = dict[str, Any]


def first(text: str, pattern: str) -> str | None:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else None


def read(path: Path) -> str:
    """Empty where it cannot be read: then that fact is unknown."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def architecture(machine: str) -> Facts:
    name = ARCHITECTURES.get(machine.lower(), machine.lower())
    return {"name": name if name in KNOWN else "other", "raw_name": machine}


def operating_system(root: Path) -> Facts:
    family = FAMILIES.get(re.sub(r"\d+$", "", sys.platform) if sys.platform != "win32" else "win32", "other")
    release = read(root / "etc/os-release")
    name = first(release, r'^NAME="?([^"\n]*)') or platform.system() or None
    version = first(release, r'^VERSION_ID="?([^"\n]*)') or (platform.mac_ver()[0] if family == "macos" else None)
    return {"family": family, "name": name, "version": version, "kernel": platform.release() or None}


def environment(root: Path, kernel: str) -> Facts:
    kind, name = "native", None
    product = read(root / "sys/class/dmi/id/product_name").strip()
    vendor = read(root / "sys/class/dmi/id/sys_vendor").strip()
    if "microsoft" in kernel.lower():
        kind, name = "wsl", "WSL"
    elif (root / ".dockerenv").exists():
        kind, name = "container", "docker"
    elif (root / "run/.containerenv").exists():
        kind, name = "container", "podman"
    elif any(word in f"{vendor} {product}" for word in MACHINES):
        kind, name = "virtual_machine", product or vendor
    elif re.search(r"^flags\s*:.*\bhypervisor\b", read(root / "proc/cpuinfo"), re.MULTILINE):
        kind = "virtual_machine"
    return {"kind": kind, "name": name, "version": None}


def cpu(root: Path) -> Facts:
    text = read(root / "proc/cpuinfo")
    sockets = len(set(re.findall(r"^physical id\s*:\s*(\d+)", text, re.MULTILINE)))
    return {
        "vendor": first(text, r"^vendor_id\s*:(.*)"),
        "model": first(text, r"^model name\s*:(.*)") or platform.processor() or None,
        "socket_count": sockets or None,
        "physical_core_count": psutil.cpu_count(logical=False),
        "logical_thread_count": psutil.cpu_count(),
    }


def memory(root: Path, total: int) -> Facts:
    """What may be used: on Linux the group of processes that we are in may have less than there is."""
    limit = read(root / "sys/fs/cgroup/memory.max").strip()
    return {"capacity_bytes": min(total, int(limit)) if limit.isdecimal() and int(limit) > 0 else total}


def detect(version: str, root: Path = Path("/")) -> Facts:
    return {
        "schema_version": 1,
        "captured_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "capture": {
            "scope": "inference_host",
            "method": "detected",
            "detector": {"name": "llamaswap", "version": version},
        },
        "architecture": architecture(platform.machine()),
        "operating_system": operating_system(root),
        "environment": environment(root, platform.release()),
        "cpu": cpu(root),
        "memory": memory(root, psutil.virtual_memory().total),
        "accelerators": [],
    }


class Hardware:
    """`facts` is None until they are known. `say` hears what went wrong, from another thread."""

    def __init__(self, version: str, say: Callable[[str], object]) -> None:
        self.version = version
        self.say = say
        self.facts: Mapping[str, Any] | None = None
        self.known = threading.Event()

    def find_out(self) -> None:
        threading.Thread(target=self.look, name="hardware", daemon=True).start()

    def look(self) -> None:
        try:
            self.facts = detect(self.version)
        except (OSError, psutil.Error, ValueError) as error:
            self.say(f"the machine could not be looked at: {error}")
        self.known.set()
