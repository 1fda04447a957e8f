"""Each configured model with what its command and its file say of it, for whoever wants to see them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from llamaswap_py.config.values import Model
from llamaswap_py.library.described import UNKNOWN, Described, Descriptions, Said, said_by
from llamaswap_py.observe.gpu.shown import moment


class KnownModel(NamedTuple):
    model: Model
    said: Said
    described: Described
    changed: float | None  # unix seconds; None where its file is not there


def known(models: Sequence[Model], descriptions: Descriptions) -> list[KnownModel]:
    """Blocks: files are read."""
    said = [(model, said_by(model)) for model in models]
    described = descriptions.of([each.file for _, each in said])
    return [KnownModel(model, each, described.get(each.file, UNKNOWN), changed(each.file)) for model, each in said]


def changed(file: str) -> float | None:
    """When, in unix seconds; None where it is not there."""
    try:
        return Path(file).stat().st_mtime if file else None
    except (OSError, ValueError):
        return None


def row(known: KnownModel, state: str) -> dict[str, Any]:
    model, said, described, changed = known
    return {
        "name": model.name or model.id,
        "id": model.id,
        "state": state,
        "family": described.architecture or None,
        "parameter_size": size_of(described.parameters),
        "quantization": described.quantisation or said.quantisation or None,
        "context_size": said.context or described.trained_context or None,
        "size_bytes": described.size or None,
        "created": None if changed is None else moment(changed),
    }


def size_of(parameters: int) -> str | None:
    """In the words of people: 14B, 1.1B, 350M."""
    if not parameters:
        return None
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if parameters >= unit:
            return f"{parameters / unit:.1f}".removesuffix(".0") + letter
    return str(parameters)
