"""What machine this is, from what the system says."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamaswap_py.observe import hardware

CPUINFO = """vendor_id\t: GenuineIntel
model name\t: A Fast One @ 3 GHz
physical id\t: 0
flags\t\t: fpu {flags} sse

vendor_id\t: GenuineIntel
physical id\t: 1
"""


def machine(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_this_machine_has_the_shape_that_is_documented() -> None:
    facts = hardware.detect("1.2")
    assert facts["schema_version"] == 1
    assert facts["capture"]["detector"] == {"name": "llamaswap", "version": "1.2"}
    assert facts["memory"]["capacity_bytes"] > 0
    assert facts["cpu"]["logical_thread_count"] > 0
    assert facts["accelerators"] == []


def test_the_processor(tmp_path: Path) -> None:
    facts = hardware.cpu(machine(tmp_path, proc__cpuinfo=CPUINFO.format(flags="")))
    assert (facts["vendor"], facts["model"], facts["socket_count"]) == ("GenuineIntel", "A Fast One @ 3 GHz", 2)
    assert hardware.cpu(tmp_path / "nowhere")["socket_count"] is None


@pytest.mark.parametrize(("limit", "capacity"), [("max\n", 100), ("60\n", 60), ("600\n", 100), ("", 100), ("0", 100)])
def test_memory_is_what_may_be_used(tmp_path: Path, limit: str, capacity: int) -> None:
    root = machine(tmp_path, **{"sys__fs__cgroup__memory.max": limit})
    assert hardware.memory(root, 100) == {"capacity_bytes": capacity}


@pytest.mark.parametrize(
    ("files", "kernel", "kind", "name"),
    [
        ({}, "6.1", "native", None),
        ({}, "5.15-microsoft-standard-WSL2", "wsl", "WSL"),
        ({".dockerenv": ""}, "6.1", "container", "docker"),
        ({"run__.containerenv": ""}, "6.1", "container", "podman"),
        ({"sys__class__dmi__id__product_name": "KVM\n"}, "6.1", "virtual_machine", "KVM"),
        ({"proc__cpuinfo": CPUINFO.format(flags="hypervisor")}, "6.1", "virtual_machine", None),
    ],
)
def test_the_surroundings(tmp_path: Path, files: dict[str, str], kernel: str, kind: str, name: str | None) -> None:
    found = hardware.environment(machine(tmp_path, **files), kernel)
    assert found == {"kind": kind, "name": name, "version": None}


def test_the_system(tmp_path: Path) -> None:
    release = 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\n'
    found = hardware.operating_system(machine(tmp_path, **{"etc__os-release": release}))
    assert (found["name"], found["version"]) == ("Debian GNU/Linux", "12")


@pytest.mark.parametrize(
    ("raw", "name"), [("x86_64", "x86_64"), ("AMD64", "x86_64"), ("aarch64", "arm64"), ("mips", "other")]
)
def test_architectures(raw: str, name: str) -> None:
    assert hardware.architecture(raw) == {"name": name, "raw_name": raw}


def test_it_is_found_out_beside_everything_else() -> None:
    found = hardware.Hardware("1", print)
    found.find_out()
    assert found.known.wait(10)
    assert found.facts is not None
