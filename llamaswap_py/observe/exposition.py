"""The last measurement in Prometheus' text form, with llama-swap's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llamaswap_py.observe.performance import MIB, Sample

Values = Iterable[tuple[Mapping[str, str], float]]


def exposition(sample: Sample | None) -> str:
    if sample is None:
        return ""
    cores = [({"core": str(core)}, used) for core, used in enumerate(sample["cpu_util_per_core"])]
    loads = [({"interval": f"{minutes}m"}, sample[f"load_avg_{minutes}"]) for minutes in (1, 5, 15)]
    return "".join(
        (
            family("llamaswap_cpu_util_percent", "Use of each core in percent.", cores),
            size(sample, "memory_total", "mem_total_mb", "Memory in bytes."),
            size(sample, "memory_used", "mem_used_mb", "Memory in use in bytes."),
            size(sample, "memory_free", "mem_free_mb", "Free memory in bytes."),
            size(sample, "swap_total", "swap_total_mb", "Swap space in bytes."),
            size(sample, "swap_used", "swap_used_mb", "Swap space in use in bytes."),
            family("llamaswap_load_average", "Load average.", loads),
            network(sample),
        )
    )


def size(sample: Sample, name: str, key: str, about: str) -> str:
    return family(f"llamaswap_{name}_bytes", about, [({}, sample[key] * MIB)])


def network(sample: Sample) -> str:
    values = [
        ({"interface": net["name"], "direction": direction}, net[f"bytes_{direction}"])
        for net in sample["net_io"]
        for direction in ("recv", "sent")
    ]
    return family("llamaswap_network_bytes_total", "Bytes over the network.", values, "counter") if values else ""


def family(name: str, about: str, values: Values, kind: str = "gauge") -> str:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{labelled(labels)} {number(value)}" for labels, value in values]
    return "\n".join(lines) + "\n"


def labelled(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{key}="{escaped(value)}"' for key, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float) -> str:
    """Whole numbers to their last digit, others as short as they can be said."""
    return repr(float(value)).removesuffix(".0")
