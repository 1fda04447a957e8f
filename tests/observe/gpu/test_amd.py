"""AMD's cards, in trees of files as the kernel shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamaswap_py.observe.gpu.amd import Amd, architecture
from llamaswap_py.observe.gpu.card import believed
from llamaswap_py.observe.gpu.present import wanted

GIB = 2**30
BUS = "0000:03:00.0"


def write(root: Path, files: dict[str, object]) -> None:
    for name, value in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An RX 7900 XTX beside a display that is none of AMD's."""
    device = f"sys/devices/pci0000:00/{BUS}"
    write(
        tmp_path / device,
        {
            "vendor": "0x1002", "device": "0x744c", "revision": "0xc8", "unique_id": "3f1c0a",
            "gpu_busy_percent": 37, "mem_info_vram_total": 24 * GIB, "mem_info_vram_used": 6 * GIB,
            "power/runtime_status": "active", "drm/renderD128/dev": "226:128",
            "hwmon/hwmon4/temp1_label": "edge", "hwmon/hwmon4/temp1_input": 51000,
            "hwmon/hwmon4/temp3_label": "mem", "hwmon/hwmon4/temp3_input": 66000,
            "hwmon/hwmon4/power1_average": 187_500_000, "hwmon/hwmon4/power1_cap": 303_000_000,
            "hwmon/hwmon4/fan1_input": 800, "hwmon/hwmon4/fan1_max": 3200,
        },
    )  # fmt: skip
    write(
        tmp_path,
        {
            "sys/class/drm/card0/device/vendor": "0x8086",
            "sys/class/drm/card1-DP-1/status": "connected",
            "proc/sys/kernel/osrelease": "6.8.0-40",
            "usr/share/libdrm/amdgpu.ids": "1.0.0\n744C,\tC8,\tAMD Radeon RX 7900 XTX\n744C,\tCC,\tAnother",
            "sys/class/kfd/kfd/topology/nodes/0/properties": "cpu_cores_count 16\nsimd_count 0\ndrm_render_minor 0",
            "sys/class/kfd/kfd/topology/nodes/1/properties": "cpu_cores_count 0\ndrm_render_minor 128\n"
            "gfx_target_version 110000",
            "sys/class/kfd/kfd/topology/nodes/1/gpu_id": 51234,
            "sys/class/kfd/kfd/proc/321/vram_51234": 5 * GIB,
            "sys/class/kfd/kfd/proc/321/vram_777": GIB,
        },
    )
    card = tmp_path / "sys/class/drm/card1"
    card.mkdir()
    (card / "device").symlink_to(tmp_path / device)
    return tmp_path


def test_all_that_the_kernel_shows(root: Path) -> None:
    told = Amd(root).look()
    (card,) = told["cards"]
    assert card == {
        "index": 0, "name": "AMD Radeon RX 7900 XTX", "vendor": "AMD", "uuid": "GPU-3f1c0a", "driver": "amdgpu",
        "driver_version": "6.8.0-40", "architecture": "gfx1100", "memory_kind": "dedicated", "utilisation": 37,
        "memory_used": 6 * GIB, "memory_total": 24 * GIB, "temperature": 51.0, "vram_temperature": 66.0,
        "power": 187.5, "power_limit": 303.0, "fan": 25.0, "processes": {321: 5 * GIB},
    }  # fmt: skip
    known = believed("amd", card)
    assert known is not None
    assert (known.disbelieved, known.memory_free) == ((), 18 * GIB)
    assert wanted("auto", root, "linux") == ("amd",)


def test_vulkan_is_known_by_what_a_process_has_open(root: Path) -> None:
    """Once a client, whichever of its files."""
    text = "drm-driver:\tamdgpu\ndrm-client-id:\t9\ndrm-pdev:\t{}\ndrm-memory-vram:\t{} KiB"
    for number, (node, bus, size) in enumerate(
        [("renderD128", BUS, 1024), ("renderD128", BUS, 1024), ("renderD129", "0000:09:00.0", 4096)]
    ):
        write(root, {f"proc/77/fdinfo/{number}": text.format(bus, size)})
        link = root / f"proc/77/fd/{number}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"/dev/dri/{node}")
    assert Amd(root).look()["cards"][0]["processes"] == {321: 5 * GIB, 77: 1024 * 1024}


def test_a_card_that_sleeps_is_not_woken(root: Path) -> None:
    device = root / f"sys/devices/pci0000:00/{BUS}"
    (device / "power/runtime_status").write_text("suspended\n")
    (card,) = Amd(root).look()["cards"]
    assert card["asleep"] is True
    assert set(card) == {"index", "name", "vendor", "uuid", "driver", "driver_version", "asleep"}


def test_an_old_kernel_shows_less(root: Path) -> None:
    device = root / f"sys/devices/pci0000:00/{BUS}"
    for path in [*device.rglob("hwmon4/*"), device / "unique_id", device / "gpu_busy_percent"]:
        path.unlink()
    (root / "usr/share/libdrm/amdgpu.ids").unlink()
    (card,) = Amd(root).look()["cards"]
    assert (card["name"], card["uuid"], card["utilisation"]) == ("AMD GPU 744c", BUS, None)
    assert (card["temperature"], card["power"], card["fan"]) == (None, None, None)


def test_a_fan_without_a_tachometer_is_known_by_its_signal(root: Path) -> None:
    folder = root / f"sys/devices/pci0000:00/{BUS}/hwmon/hwmon4"
    (folder / "fan1_input").unlink()
    (folder / "pwm1").write_text("51\n")
    assert Amd(root).look()["cards"][0]["fan"] == 20.0


def test_a_card_that_vanished_is_not_told(root: Path) -> None:
    (root / "sys/class/drm/card1/device").unlink()
    assert Amd(root).look()["cards"] == []
    assert wanted("auto", root, "linux") == ()


@pytest.mark.parametrize(("version", "name"), [(110001, "gfx1101"), (90010, "gfx90a"), (100300, "gfx1030")])
def test_architectures(version: int, name: str) -> None:
    assert architecture(version) == name


def test_which_kinds_are_asked_for(root: Path) -> None:
    assert wanted("none", root, "linux") == ()
    assert wanted("apple", root, "linux") == ("apple",)
    assert wanted("auto", root, "darwin") == ("apple",)
    write(root, {"proc/driver/nvidia/version": "NVRM"})
    assert wanted("auto", root, "linux") == ("nvidia", "amd")
