"""AMD's cards, by what the kernel shows of them under /sys and /proc."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

AMD = "0x1002"
KIB = 1024


def said(path: Path) -> str:
    """Empty where it cannot be read: older kernels show less, and a sleeping card refuses."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def number(path: Path) -> int | None:
    text = said(path)
    return int(text) if re.fullmatch(r"-?\d+", text) else None


def over(value: int | None, by: int) -> float | None:
    return None if value is None else value / by


class Amd:
    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def look(self) -> dict[str, Any]:
        version = said(self.root / "sys/module/amdgpu/version") or said(self.root / "proc/sys/kernel/osrelease") or None
        cards = [self.card(index, device, version) for index, device in enumerate(self.devices())]
        return {"driver_version": version, "cards": cards, "lost": []}

    def devices(self) -> Iterator[Path]:
        folders = (self.root / "sys/class/drm").glob("card*")
        for folder in sorted((each for each in folders if each.name[4:].isdecimal()), key=lambda f: int(f.name[4:])):
            if said(folder / "device/vendor") == AMD and said(folder / "device/mem_info_vram_total"):
                yield folder / "device"

    def card(self, index: int, device: Path, version: str | None) -> dict[str, Any]:
        unique = said(device / "unique_id")
        known = {
            "index": index,
            "name": self.name(device),
            "vendor": "AMD",
            "uuid": f"GPU-{unique}" if unique else device.resolve().name,
            "driver": "amdgpu",
            "driver_version": version,
        }
        if said(device / "power/runtime_status") == "suspended":
            return known | {"asleep": True}
        kfd = self.kfd(device)
        return known | {
            "architecture": kfd.get("architecture"),
            "memory_kind": "shared_system" if kfd.get("with_cpu") else "dedicated",
            "utilisation": number(device / "gpu_busy_percent"),
            "memory_used": number(device / "mem_info_vram_used"),
            "memory_total": number(device / "mem_info_vram_total"),
            **sensors(device),
            "processes": self.processes(device, kfd.get("id", "")),
        }

    def name(self, device: Path) -> str:
        """Its own word for it, else that of the list which comes with libdrm, else its number."""
        own = said(device / "product_name")
        if own:
            return own
        chip, revision = said(device / "device")[2:].upper(), said(device / "revision")[2:].upper()
        for row in said(self.root / "usr/share/libdrm/amdgpu.ids").splitlines():
            parts = [part.strip() for part in row.split(",", 2)]
            if len(parts) == 3 and parts[0] == chip and parts[1] == revision:
                return parts[2]
        return f"AMD GPU {chip.lower()}"

    def kfd(self, device: Path) -> dict[str, Any]:
        """What the compute driver says of it: known by the same render node."""
        minors = {path.name[7:] for path in (device / "drm").glob("renderD*")}
        for node in sorted((self.root / "sys/class/kfd/kfd/topology/nodes").glob("*")):
            facts = dict(re.findall(r"^(\w+) (\d+)$", said(node / "properties"), re.MULTILINE))
            if facts.get("drm_render_minor") in minors:
                version = int(facts.get("gfx_target_version", "0"))
                return {
                    "id": said(node / "gpu_id"),
                    "with_cpu": facts.get("cpu_cores_count", "0") != "0",
                    "architecture": architecture(version) if version else None,
                }
        return {}

    def processes(self, device: Path, kfd_id: str) -> dict[int, int]:
        """By the compute driver (ROCm), and by what each process has open (Vulkan). The larger counts."""
        found: dict[int, int] = {}
        for path in (self.root / "sys/class/kfd/kfd/proc").glob(f"*/vram_{kfd_id}") if kfd_id else ():
            if path.parent.name.isdecimal():
                found[int(path.parent.name)] = number(path) or 0
        bus = device.resolve().name
        for pid, size in self.drawn(bus):
            found[pid] = max(found.get(pid, 0), size)
        return found

    def drawn(self, bus: str) -> Iterator[tuple[int, int]]:
        for folder in (self.root / "proc").glob("[0-9]*"):
            clients: dict[str, int] = {}
            for text in drm_files(folder):
                if f"drm-pdev:\t{bus}" in text:
                    client = re.search(r"^drm-client-id:\s*(\d+)", text, re.MULTILINE)
                    size = re.search(r"^drm-(?:memory|resident)-vram:\s*(\d+) KiB", text, re.MULTILINE)
                    clients[client[1] if client else ""] = int(size[1]) * KIB if size else 0
            if clients:
                yield int(folder.name), sum(clients.values())


def drm_files(process: Path) -> Iterator[str]:
    """What the kernel says of the render nodes that a process has open; nothing where it is not ours to look at."""
    try:
        opened = list((process / "fd").iterdir())
    except OSError:
        return
    for each in opened:
        try:
            is_node = "/dri/render" in str(each.readlink())
        except OSError:  # closed meanwhile
            continue
        if is_node:
            yield said(process / "fdinfo" / each.name)


def sensors(device: Path) -> dict[str, Any]:
    for folder in sorted((device / "hwmon").glob("hwmon*")):
        labels = {said(path): path.name.removesuffix("_label") for path in folder.glob("temp*_label")}
        core, memory = labels.get("edge", labels.get("junction", "temp1")), labels.get("mem")
        power = number(folder / "power1_average")
        power = number(folder / "power1_input") if power is None else power
        return {
            "temperature": over(number(folder / f"{core}_input"), 1000),
            "vram_temperature": over(number(folder / f"{memory}_input"), 1000) if memory else None,
            "power": over(power, 1_000_000),
            "power_limit": over(number(folder / "power1_cap"), 1_000_000),
            "fan": fan(folder),
        }
    return {}


def fan(folder: Path) -> float | None:
    """In percent of its fastest, or of the signal that drives it."""
    for now, most in (("fan1_input", number(folder / "fan1_max")), ("pwm1", 255)):
        value = number(folder / now)
        if value is not None and most:
            return round(100 * value / most, 1)
    return None


def architecture(version: int) -> str:
    """110001 is gfx1101; minor and step are written with one digit of base 16 each."""
    return f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}"
