"""What a header says about its model: what it is, how large, how it is quantised, and what it is for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from llamaswap_py.gguf.header import Header, Skipped, Value
from llamaswap_py.gguf.kinds import FILE_TYPES, GUESSED, KINDS, POOLINGS

# Encoders: whatever else their header says, text is not what comes out of them.
ENCODERS = frozenset(
    (
        *(
            "bert",
            "nomic-bert",
            "nomic-bert-moe",
            "jina-bert-v2",
            "jina-bert-v3",
            "neo-bert",
            "modern-bert",
            "eurobert",
        ),
        *("gemma-embedding", "t5encoder", "llama-embed"),
    )
)


class Purpose(StrEnum):
    TEXT = "text"
    EMBEDDING = "embedding"
    RERANKER = "reranker"
    PROJECTOR = "projector"  # an mmproj: eyes or ears of another model
    ADAPTER = "adapter"  # a LoRA
    OTHER = "other"  # a vocabulary, an importance matrix: nothing to serve


class Facts(msgspec.Struct, frozen=True):
    architecture: str
    name: str  # empty where the header gives none
    purpose: Purpose
    parameters: int  # of this file; those of a split model are divided among its files
    quantisation: str  # as `Q4_K_M`; empty where it cannot be told
    context_length: int  # what the model was trained for; 0 where the header does not say, here and below
    embedding_length: int
    block_count: int
    head_count: int
    head_count_kv: int  # of the layer with the most
    vocabulary: int
    pooling: str  # one of kinds.POOLINGS, or empty
    has_chat_template: bool
    split_number: int  # from 0
    split_count: int  # 1 for a model in one file


class Metadata:
    """A header's entries by name, without tripping over one of an unexpected type."""

    def __init__(self, header: Header) -> None:
        self.entries = header.metadata
        self.architecture = self.text("general.architecture")

    def text(self, key: str) -> str:
        value = self.entries.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str, otherwise: int = 0) -> int:
        """Of several, one for each layer, the largest."""
        return max(self.numbers(key), default=otherwise)

    def numbers(self, key: str) -> list[int]:
        value = self.entries.get(key)
        values: Sequence[Value] = value if isinstance(value, tuple) else [value] if value is not None else []
        return [each for each in values if isinstance(each, int) and each >= 0]

    def length(self, key: str) -> int:
        value = self.entries.get(key)
        if isinstance(value, Skipped):
            return value.length
        return len(value) if isinstance(value, tuple) else 0

    def own(self, key: str) -> str:
        return f"{self.architecture}.{key}"


def facts(header: Header) -> Facts:
    about = Metadata(header)
    return Facts(
        architecture=about.architecture,
        name=about.text("general.name"),
        purpose=purpose(header, about),
        parameters=sum(tensor.elements for tensor in header.tensors),
        quantisation=quantisation(header, about),
        context_length=about.number(about.own("context_length")),
        embedding_length=about.number(about.own("embedding_length")),
        block_count=about.number(about.own("block_count")),
        head_count=about.number(about.own("attention.head_count")),
        head_count_kv=about.number(about.own("attention.head_count_kv")),
        vocabulary=about.length("tokenizer.ggml.tokens") or about.number(about.own("vocab_size")),
        pooling=POOLINGS.get(about.number(about.own("pooling_type"), -1), ""),
        has_chat_template=bool(about.text("tokenizer.chat_template")),
        split_number=about.number("split.no"),
        split_count=max(about.number("split.count"), 1),
    )


def purpose(header: Header, about: Metadata) -> Purpose:
    kind = about.text("general.type")
    if kind == "mmproj" or about.architecture == "clip":
        return Purpose.PROJECTOR
    if kind == "adapter":
        return Purpose.ADAPTER
    # A later file of a split model holds hardly more than its number, and the first one of some no tensor.
    is_part = about.number("split.count") > 1
    if kind == "imatrix" or not about.architecture or not (header.tensors or is_part):
        return Purpose.OTHER if not is_part else Purpose.TEXT
    return of_text_model(header, about)


def of_text_model(header: Header, about: Metadata) -> Purpose:
    """Files made before the pooling was written down give themselves away by their name only."""
    name = f"{about.text('general.name')} {about.text('general.basename')}".lower()
    pooling = about.number(about.own("pooling_type"), -1)
    has_classifier = any(tensor.name in ("cls.weight", "cls.output.weight") for tensor in header.tensors)
    if POOLINGS.get(pooling) == "rank" or has_classifier or "rerank" in name:
        return Purpose.RERANKER
    if POOLINGS.get(pooling) in ("mean", "cls", "last") or about.architecture in ENCODERS or "embedding" in name:
        return Purpose.EMBEDDING
    return Purpose.TEXT


def quantisation(header: Header, about: Metadata) -> str:
    """What the file says it is, else what most of its numbers are."""
    said = about.number("general.file_type", -1)
    if said >= 0:
        return FILE_TYPES.get(said & ~GUESSED, "")
    counts: dict[int, int] = {}
    for tensor in header.tensors:
        counts[tensor.kind] = counts.get(tensor.kind, 0) + tensor.elements
    most = max(counts, key=lambda kind: counts[kind], default=-1)
    return KINDS[most].name if most in KINDS else ""
