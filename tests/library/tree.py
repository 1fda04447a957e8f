"""A made-up machine: sixty files on four shelves, with everything in them that people have."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from llamaswap_py.config.values import Shelf
from llamaswap_py.library.discover import NOTHING, Before, discover
from llamaswap_py.library.files import Discovery
from llamaswap_py.library.library import Library
from tests.fakes.tiny_gguf import write_header

LONG_AGO = 1_700_000_000.0
NOW = LONG_AGO + 86_400.0

Entries = Mapping[str, Any]
NONE: Entries = MappingProxyType({})
Q4_K_M, Q8_0, F16 = 15, 7, 1  # as `general.file_type`
TEMPLATE = "{% if tools %}{{ tools }}{% endif %}{{ messages }}"


class Machine:
    """Each file is older than the next one, so that who comes first does not depend on the clock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.count = 0
        self.models, self.hub, self.store = root / "models", root / "hub", root / "ollama"
        for folder in (self.models, self.hub, self.store):
            folder.mkdir(parents=True)
        self.env = {"HF_HUB_CACHE": str(self.hub), "OLLAMA_MODELS": str(self.store)}
        words = [str(self.models), "huggingface", "ollama"]
        self.shelves = tuple(Shelf(word, str(root / "config.yaml")) for word in words)
        self.library = Library(self.env)

    # ------------------------------------------------------------- files

    def aged(self, path: Path, changed: float | None = None) -> Path:
        self.count += 1
        moment = LONG_AGO + self.count if changed is None else changed
        os.utime(path, (moment, moment))
        return path

    def model(self, name: str, architecture: str = "llama", file_type: int = Q4_K_M, entries: Entries = NONE) -> Path:
        path = self.models / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return self.aged(write_model(path, architecture, file_type, entries))

    def split(self, stem: str, count: int, missing: int = 0) -> None:
        for number in range(1, count + 1):
            if number != missing:
                entries = {"split.no": number - 1, "split.count": count}
                self.model(f"{stem}-{number:05}-of-{count:05}.gguf", entries=entries)

    def projector(self, name: str, file_type: int = F16, entries: Entries = NONE) -> Path:
        path = self.models / name
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {"general.type": "mmproj", "general.file_type": file_type, "clip.has_vision_encoder": True, **entries}
        return self.aged(write_header(path, "clip", about, ["v.blk.0.weight"]))

    def cached(
        self, repository: str, name: str, revision: str = "aaa", current: bool = True, entries: Entries = NONE
    ) -> Path:
        """A file of the Hugging Face cache: a link to what is stored under its hash."""
        folder = self.hub / f"models--{repository.replace('/', '--')}"
        made = write_model(self.root / "made.gguf", "llama", Q4_K_M, {"general.name": revision, **entries})
        blob = folder / "blobs" / digest(made)
        link = folder / "snapshots" / revision / name
        for path in (blob, link, folder / "refs" / "main"):
            path.parent.mkdir(parents=True, exist_ok=True)
        self.aged(made.replace(blob))
        link.symlink_to(blob)
        if current:
            (folder / "refs" / "main").write_text(revision)
        return link

    def pulled(self, name: str, *layers: tuple[str, Path], registry: str = "registry.ollama.ai/library") -> Path:
        """A model of Ollama's store: `name` is `name/tag`, a layer its kind and its file, which is moved there."""
        rows = []
        for kind, made in layers:
            blob = self.store / "blobs" / f"sha256-{digest(made)}"
            blob.parent.mkdir(parents=True, exist_ok=True)
            size = made.stat().st_size
            self.aged(made.replace(blob))
            row = {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": blob.name.replace("-", ":")}
            rows.append({**row, "size": size})
        manifest = self.store / "manifests" / registry / name
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(json.dumps({"schemaVersion": 2, "layers": rows}))
        return manifest

    def made(self, name: str = "layer", architecture: str = "llama") -> Path:
        """A file that is moved to its place later."""
        return write_model(self.root / f"made-{name}.gguf", architecture, Q4_K_M, {"general.name": name})

    # ------------------------------------------------------------- looking

    def look(self, before: Discovery = NOTHING, now: float = NOW, in_use: tuple[str, ...] = ()) -> Discovery:
        return discover(*self.library.look(self.shelves), now, Before(before, in_use))

    def told(self, discovery: Discovery) -> dict[str, str]:
        """What is left out, by its path from the root, and why."""
        return {str(Path(left.path).relative_to(self.root)): left.why for left in discovery.left_out}


def write_model(path: Path, architecture: str, file_type: int, entries: Entries) -> Path:
    about = {
        "general.file_type": file_type,
        f"{architecture}.context_length": 8192,
        f"{architecture}.block_count": 2,
        f"{architecture}.embedding_length": 64,
        f"{architecture}.attention.head_count": 4,
        f"{architecture}.attention.head_count_kv": 2,
        "tokenizer.ggml.tokens": ["a", "b"],
    }
    return write_header(path, architecture, about | dict(entries), ["token_embd.weight", "blk.0.ffn_up.weight"])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def full(root: Path) -> Machine:
    """The sixty."""
    machine = Machine(root)
    # Plain files, several quantisations of one model, names that say nothing.
    machine.model("Qwen2.5-7B-Instruct-Q4_K_M.gguf", "qwen2", entries={"tokenizer.chat_template": TEMPLATE})
    machine.model("Qwen2.5-7B-Instruct-Q8_0.gguf", "qwen2", Q8_0)
    machine.model("Mistral 7B Instruct v0.3.fp16.gguf", file_type=F16)
    machine.model("phi-4-mini-instruct/model.gguf", "phi3")
    machine.model("Llama-3.2-3B-Instruct-GGUF/ggml-model-Q4_K_M.gguf")
    machine.model("Llama-3.2-3B-Instruct-GGUF/Q8_0/ggml-model-Q8_0.gguf", file_type=Q8_0)
    machine.model("tinyllama.gguf")
    machine.model("UPPER.GGUF")
    # Split sets, in one folder and in one each; parts that are missing.
    machine.split("gpt-oss-120b-mxfp4/gpt-oss-120b-mxfp4", 3)
    machine.split("Qwen3-235B-GGUF/UD-Q4_K_XL/Qwen3-235B-UD-Q4_K_XL", 4)
    machine.split("Qwen3-235B-GGUF/Q8_0/Qwen3-235B-Q8_0", 5)
    machine.split("deepseek-r1-Q4_K_M", 3, missing=2)
    # Eyes and ears: beside their model, above it, by their name on a common shelf, two to choose from, one of nobody.
    machine.model("gemma-3-4b-it-GGUF/gemma-3-4b-it-Q4_K_M.gguf", "gemma3")
    machine.model("gemma-3-4b-it-GGUF/gemma-3-4b-it-Q8_0.gguf", "gemma3", Q8_0)
    machine.projector("gemma-3-4b-it-GGUF/mmproj-model-f16.gguf")
    machine.projector("gemma-3-4b-it-GGUF/mmproj-BF16.gguf", 32)
    machine.model("Qwen2.5-Omni-3B-GGUF/Q4_K_M/Qwen2.5-Omni-3B-Q4_K_M.gguf", "qwen2vl")
    machine.projector("Qwen2.5-Omni-3B-GGUF/mmproj-Qwen2.5-Omni-3B-f16.gguf", entries={"clip.has_audio_encoder": True})
    machine.model("SmolVLM-500M-Instruct-Q8_0.gguf", file_type=Q8_0)
    machine.projector("mmproj-SmolVLM-500M-Instruct-f16.gguf")
    machine.projector("mmproj-of-nobody.gguf")
    # Other purposes.
    machine.model("nomic-embed-text-v1.5.Q8_0.gguf", "nomic-bert", Q8_0, entries={"nomic-bert.pooling_type": 1})
    machine.model("bge-reranker-v2-m3-Q8_0.gguf", "bert", Q8_0, entries={"bert.pooling_type": 4})
    machine.model("Qwen3-Embedding-0.6B-Q8_0.gguf", "qwen3", Q8_0, entries={"general.name": "Qwen3 Embedding 0.6B"})
    machine.model("my-lora.gguf", entries={"general.type": "adapter"})
    machine.model("flux1-dev-Q4_0.gguf", "flux", entries={"tokenizer.ggml.tokens": []})
    machine.model("imatrix.gguf", entries={"general.type": "imatrix"})
    add_trouble(machine)
    add_stores(machine)
    return machine


def add_trouble(machine: Machine) -> None:
    # Links: to a model under another name, to a folder above, to nowhere, to itself; a file linked hard.
    (machine.models / "favourite.gguf").symlink_to("tinyllama.gguf")
    (machine.models / "again").symlink_to(machine.models)
    (machine.models / "nowhere.gguf").symlink_to("was-here-once.gguf")
    (machine.models / "itself").symlink_to("itself")
    (machine.models / "hard.gguf").hardlink_to(machine.models / "UPPER.GGUF")
    # Broken, foreign, and on their way.
    machine.aged(writing(machine.models / "broken.gguf", b"GGUF\x03\0\0\0" + b"\xff" * 64))
    machine.aged(writing(machine.models / "page.gguf", b"<!DOCTYPE html>"))
    machine.aged(writing(machine.models / "empty.gguf", b""))
    cut(machine.model("half-header.gguf"), 100)
    cut(machine.model("half-tensors.gguf"), -100)
    machine.aged(machine.model("just-copied.gguf"), NOW - 1)
    machine.aged(writing(machine.models / ".hidden" / "cached.gguf", b"GGUF"))
    machine.aged(writing(machine.models / "partial.gguf.part", b"GGUF"))
    machine.aged(writing(machine.models / "notes.txt", b"to do"))


def add_stores(machine: Machine) -> None:
    # Hugging Face's cache: an older revision of one file, a split set, the same model as on the shelf.
    machine.cached("bartowski/Llama-3.2-1B-Instruct-GGUF", "Llama-3.2-1B-Instruct-Q4_K_M.gguf", "old", current=False)
    machine.cached("bartowski/Llama-3.2-1B-Instruct-GGUF", "Llama-3.2-1B-Instruct-Q4_K_M.gguf", "new")
    for number in (1, 2):
        entries = {"split.no": number - 1, "split.count": 2}
        machine.cached("unsloth/GLM-GGUF", f"Q4_K_M/GLM-Q4_K_M-{number:05}-of-00002.gguf", entries=entries)
    machine.cached("someone/TinyLlama-GGUF", "tinyllama.gguf")
    # Ollama's store: two tags of one file, a model that sees, one from elsewhere, one without its file, no manifest.
    machine.pulled("llama3.2/3b", ("model", machine.made("llama3.2")), ("params", machine.made("params")))
    machine.pulled("llama3.2/latest", ("model", machine.made("llama3.2")))
    eyes = write_header(machine.root / "eyes.gguf", "clip", {"general.type": "mmproj"}, ["v.weight"])
    machine.pulled("llava/7b", ("model", machine.made("llava")), ("projector", eyes))
    machine.pulled("GGUF/Q4", ("model", machine.made("elsewhere")), registry="hf.co/someone")
    machine.pulled("safe/latest", ("tensor", machine.made("tensor")))
    gone = machine.pulled("gone/latest", ("model", machine.made("gone")))
    (machine.store / "blobs" / json.loads(gone.read_text())["layers"][0]["digest"].replace(":", "-")).unlink()
    writing(machine.store / "manifests" / "registry.ollama.ai" / "library" / "odd" / "latest", b"[]")


def writing(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def cut(path: Path, size: int) -> None:
    """To so many bytes, or by so many; as old as it was."""
    status = path.stat()
    with path.open("r+b") as file:
        file.truncate(size if size > 0 else status.st_size + size)
    os.utime(path, (status.st_atime, status.st_mtime))
