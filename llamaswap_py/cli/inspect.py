"""Inspect a GGUF file: what model it is, and the memory it needs by length of context."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from llamaswap_py.cli.terminal import flags, ggufs
from llamaswap_py.cli.terminal.colours import BOLD, Paint
from llamaswap_py.cli.terminal.flags import Flag, Usage, Words
from llamaswap_py.cli.terminal.tables import table
from llamaswap_py.gguf import memory
from llamaswap_py.gguf.facts import Facts, Purpose, facts
from llamaswap_py.gguf.header import Header, HeaderError
from llamaswap_py.gguf.kinds import CACHE_KINDS

USAGE = Usage(
    "llamaswap inspect FILE.gguf [flags]",
    "Show what model a GGUF file holds, and the memory that its weights and one context of each length take. Buffers\n"
    "for computing come on top. Of a split model name any part; all of them are read. Only headers are read.",
    (
        Flag("json", "print values for programs, sizes in bytes"),
        Flag("cache-type-k", "of what the cache of keys is made (default f16)", "TYPE"),
        Flag("cache-type-v", "of what the cache of values is made (default f16)", "TYPE"),
    ),
)
SHORTEST = 4096  # llama.cpp's own choice where nobody chooses
UNKNOWN_LENGTH = 32768  # shown up to here where the header does not say what the model was trained for
WITH_CONTEXT = (Purpose.TEXT, Purpose.EMBEDDING, Purpose.RERANKER)


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    wrong = [f"There is no cache of type '{kind}'. The types are: {', '.join(CACHE_KINDS)}." for kind in kinds(words)
             if kind not in CACHE_KINDS]  # fmt: skip
    if len(words.rest) != 1 or wrong:
        print(f"{wrong[0] if wrong else 'Name one file.'}\n\n{USAGE}", file=sys.stderr)
        return 2
    try:
        about = inspect(Path(words.rest[0]), *kinds(words))
    except ggufs.Unusable as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(about, indent=2, ensure_ascii=False) if "json" in words.switches else shown(about))
    return 0


def kinds(words: Words) -> tuple[str, str]:
    return words.value("cache-type-k") or "f16", words.value("cache-type-v") or "f16"


def inspect(path: Path, keys: str, values: str) -> dict[str, Any]:
    files = ggufs.files_of(path)
    headers = [ggufs.read(file) for file in files]
    about = facts(headers[0])
    try:
        weights = sum(memory.weights(header) for header in headers)
        rows = [row(headers[0], weights, length, keys, values) for length in lengths(about)]
    except HeaderError as error:
        raise ggufs.Unusable(f"{path}: {error}.") from error
    return {
        "files": [str(file) for file in files],
        "bytes": sum(file.stat().st_size for file in files),
        **asdict(about),
        "parameters": sum(facts(header).parameters for header in headers),
        "split_count": len(files),
        "weights": weights,
        "contexts": rows,
    }


def lengths(about: Facts) -> list[int]:
    """Doubling, up to the length the model was trained for."""
    if about.purpose not in WITH_CONTEXT:
        return []
    longest = about.context_length or UNKNOWN_LENGTH
    doubled = [SHORTEST << power for power in range(32) if SHORTEST << power < longest]
    return [*doubled, longest]


def row(header: Header, weights: int, length: int, keys: str, values: str) -> dict[str, int]:
    cache = memory.cache(header, length, keys, values)
    return {"context": length, "cache": cache, "total": weights + cache}


def shown(about: dict[str, Any]) -> str:
    # A header may hold anything, and must not steer the terminal.
    lines = [f"{name:<14}{''.join(filter(str.isprintable, value))}" for name, value in summary(about) if value]
    lines[0] = Paint(sys.stdout)(lines[0], BOLD)
    if about["contexts"]:
        rows = [(each["context"], size(each["cache"]), size(each["total"])) for each in about["contexts"]]
        lines += ["", table(("context", "cache", "with weights"), rows, right=True)]
    return "\n".join(lines)


def summary(about: dict[str, Any]) -> list[tuple[str, str]]:
    heads = f"{about['head_count']} heads, {about['head_count_kv'] or about['head_count']} of keys and values"
    files = f", {len(about['files'])} files" if len(about["files"]) > 1 else ""
    return [
        ("name", about["name"] or Path(about["files"][0]).stem),
        ("purpose", str(about["purpose"])),
        ("architecture", about["architecture"]),
        ("parameters", in_thousands(about["parameters"])),
        ("quantisation", about["quantisation"]),
        ("size", f"{size(about['bytes'])}{files}"),
        ("weights", size(about["weights"])),
        ("trained for", f"{about['context_length']} tokens" if about["context_length"] else ""),
        ("layers", f"{about['block_count']}" if about["block_count"] else ""),
        ("attention", heads if about["head_count"] else ""),
        ("embedding", str(about["embedding_length"] or "")),
        ("vocabulary", f"{about['vocabulary']} tokens" if about["vocabulary"] else ""),
        ("pooling", about["pooling"]),
        ("chat template", "yes" if about["has_chat_template"] else "no"),
    ]


def size(number: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.2f} GiB"


def in_thousands(count: float) -> str:
    for unit in ("", " thousand", " million"):
        if count < 1000:
            return f"{count:.3g}{unit}"
        count /= 1000
    return f"{count:.4g} billion"
