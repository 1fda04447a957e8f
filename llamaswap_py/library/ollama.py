"""What Ollama has pulled, read by its manifests: each names the files of one model by their hashes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llamaswap_py.library.files import LeftOut
from llamaswap_py.library.folders import Walk

SYSTEM = Path("/usr/share/ollama/.ollama/models")  # where its service on Linux keeps them
KIND = "application/vnd.ollama.image."
MODEL, PROJECTOR, ADAPTER, TENSOR = (f"{KIND}{word}" for word in ("model", "projector", "adapter", "tensor"))
REGISTRY, NAMESPACE = "registry.ollama.ai", "library"  # what is not said where a name begins with them
LARGEST = 1 << 20  # bytes of a manifest; they have some hundred


def folders(env: Mapping[str, str]) -> list[Path]:
    if env.get("OLLAMA_MODELS"):
        return [Path(env["OLLAMA_MODELS"]).expanduser()]
    return [Path.home() / ".ollama" / "models", SYSTEM]


def look(store: Path, walk: Walk) -> None:
    for path, steps in manifests(store / "manifests", walk):
        layers = layers_of(path, walk)
        if layers is not None:
            shelve(path, name_of(steps), layers, store, walk)


def manifests(root: Path, walk: Walk) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Of each its registry, namespace, name and tag."""
    waiting: list[tuple[str, tuple[str, ...]]] = [(str(root), ())]
    while waiting:
        path, steps = waiting.pop()
        for entry in walk.read(path):
            further = (*steps, entry.name)
            if len(further) == 4 and entry.is_file():
                yield Path(entry.path), further
            elif len(further) < 4 and entry.is_dir():
                waiting.append((entry.path, further))


def name_of(steps: tuple[str, ...]) -> str:
    """As Ollama itself lists it."""
    registry, namespace, name, tag = steps
    before = [] if registry == REGISTRY else [registry]
    before += [] if not before and namespace == NAMESPACE else [namespace]
    return f"{'/'.join([*before, name])}:{tag}"


def layers_of(path: Path, walk: Walk) -> list[dict[str, Any]] | None:
    try:
        with path.open("rb") as file:
            manifest = json.loads(file.read(LARGEST))
        layers = manifest["layers"]
        return [layer for layer in layers if isinstance(layer, dict)]
    except OSError as error:
        walk.unreadable(str(path), error)
    except (ValueError, TypeError, KeyError):
        walk.notes.append(LeftOut(str(path), "this is no manifest of Ollama's"))
    return None


def shelve(manifest: Path, name: str, layers: list[dict[str, Any]], store: Path, walk: Walk) -> None:
    by_kind = {kind: [layer for layer in layers if layer.get("mediaType") == kind] for kind in (MODEL, TENSOR)}
    if len(by_kind[MODEL]) != 1:
        why = "its model is not in one GGUF file" if by_kind[MODEL] or by_kind[TENSOR] else "it names no model's file"
        walk.notes.append(LeftOut(str(manifest), why))
        return
    for layer in layers:
        kind = layer.get("mediaType")
        if kind in (MODEL, PROJECTOR, ADAPTER):
            blob, size = store / "blobs" / str(layer.get("digest")).replace(":", "-"), layer.get("size")
            given = name if kind == MODEL else ""
            before = len(walk.files)
            walk.add(str(blob), (str(store), name), False, given, size if isinstance(size, int) else 0)
            if len(walk.files) == before and not blob.exists():
                walk.notes.append(LeftOut(str(manifest), f"its file {blob.name} is not there"))
