"""From a found model to its entry in a configuration. Pure but for the quoting, which differs between systems."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from llamaswap_py.config.command import quoted
from llamaswap_py.config.discovered import Discovered
from llamaswap_py.gguf.facts import Purpose
from llamaswap_py.library.cards import pooling_of
from llamaswap_py.library.files import Found


def discovered(models: Iterable[Found]) -> tuple[Discovered, ...]:
    return tuple(Discovered(model.id, model.path, entry(model)) for model in models)


def entry(model: Found) -> dict[str, Any]:
    """As a person would write it."""
    about = model.card.facts
    return {
        "cmd": command(model),
        **({"aliases": model.aliases} if model.aliases else {}),
        **({"name": about.name.strip()} if about.name.strip() and "${" not in about.name else {}),
        "capabilities": capabilities(model),
        "metadata": metadata(model),
    }


def command(model: Found) -> str:
    lines = [f"${{llama_server}} --model {quoted([model.path])} --alias ${{MODEL_ID}} --port ${{PORT}}"]
    lines += [f"--mmproj {quoted([model.projector])}"] if model.projector else []
    lines += [f"--lora {quoted([model.adapter])}"] if model.adapter else []
    flags = flags_of(model)
    return "\n".join([*lines, *([" ".join(flags)] if flags else [])])


def flags_of(model: Found) -> list[str]:
    purpose, context = model.card.facts.purpose, model.card.context
    flags = ["--ctx-size", str(context)] if context else []
    if purpose is Purpose.TEXT:
        return flags + (["--jinja"] if model.card.calls_tools else [])
    flags += ["--batch-size", str(context), "--ubatch-size", str(context)] if context else []
    if purpose is Purpose.RERANKER:
        return [*flags, "--reranking"]
    pooling = pooling_of(model.card.facts)
    return [*flags, "--embeddings", *(["--pooling", pooling] if pooling else [])]


def capabilities(model: Found) -> dict[str, Any]:
    purpose = model.card.facts.purpose
    said: dict[str, Any] = {"in": ("text", *model.senses)}
    if purpose is Purpose.TEXT:
        said["out"] = ("text",)
    if model.card.calls_tools and purpose is Purpose.TEXT:
        said["tools"] = True
    if purpose is Purpose.RERANKER:
        said["reranker"] = True
    return said | ({"context": model.card.context} if model.card.context else {})


def metadata(model: Found) -> dict[str, Any]:
    about = model.card.facts
    said = {
        "discovered": model.shelf,
        "file": PurePath(model.path).name,
        "size": model.size,
        "quantisation": about.quantisation,
        "purpose": about.purpose.value,
        "trained_context": about.context_length,
    }
    return {name: value for name, value in said.items() if value}
