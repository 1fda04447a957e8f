"""What memory a model needs: its weights, from the list of tensors, and its cache, by length and type.

Buffers for computing come on top; they depend on the engine and its flags, not on the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from llamaswap_py.gguf.facts import Metadata
from llamaswap_py.gguf.header import Broken, Header, Tensor
from llamaswap_py.gguf.kinds import BY_NAME, CACHE_KINDS, KINDS, Kind

CELLS = 256  # llama.cpp rounds a cache up to a multiple of this many tokens
MICRO_BATCH = 512  # llama.cpp's default; a window's cache holds one more of it than the window
# Every so many layers one sees the whole context, the others a window of it; no header says so for these.
WINDOW_PERIODS = {"gemma2": 2, "gemma3": 6, "gemma3n": 5, "cohere2": 4, "gpt-oss": 2, "exaone4": 4, "olmo2": 4}


def weights(header: Header) -> int:
    """Bytes of this file's tensors as the engine holds them."""
    offsets = sorted(tensor.offset for tensor in header.tensors)
    gaps = {offset: following - offset for offset, following in pairwise(offsets)}
    return sum(size_of(tensor, gaps) for tensor in header.tensors)


def file_size(header: Header) -> int:
    """The file is shorter only where it is still being copied."""
    return header.data_offset + max((tensor.offset + size_of(tensor, {}) for tensor in header.tensors), default=0)


def size_of(tensor: Tensor, gaps: dict[int, int]) -> int:
    """A type newer than this table is measured by where the next tensor begins."""
    kind = KINDS.get(tensor.kind)
    if kind is not None:
        return stored(tensor.elements, kind)
    if tensor.offset not in gaps:
        raise Broken(f"the tensor {tensor.name[:200]!r} is of type {tensor.kind}, whose size is not known here")
    return gaps[tensor.offset]


def stored(numbers: int, kind: Kind) -> int:
    return -(-numbers // kind.numbers) * kind.size


def cache(header: Header, context: int, keys: str = "f16", values: str = "f16") -> int:
    """Bytes for one context of so many tokens, in types named as `--cache-type-k` names them (see CACHE_KINDS)."""
    for name in (keys, values):
        if name not in CACHE_KINDS:
            raise ValueError(f"a cache cannot be of type {name!r}; the types are {', '.join(CACHE_KINDS)}")
    return sum(
        stored(cells * width_k, BY_NAME[keys]) + stored(cells * width_v, BY_NAME[values])
        for cells, width_k, width_v in layers(Metadata(header), context)
    )


def layers(about: Metadata, context: int) -> Iterator[tuple[int, int, int]]:
    """Of each layer that attends: how many tokens it holds, and how many numbers of keys and of values for each."""
    heads = per_layer(about, "attention.head_count", 0)
    heads_kv = per_layer(about, "attention.head_count_kv", None) or heads
    length = about.number(about.own("embedding_length")) // max(*heads, 1) if heads else 0
    width_k = about.number(about.own("attention.key_length"), length)
    width_v = about.number(about.own("attention.value_length"), length)
    if about.number(about.own("attention.key_length_mla")):
        width_v = 0  # one compressed row serves as both
    for number, count in enumerate(heads_kv):
        if has_cache(about, number):
            yield cells_of(about, number, context), count * width_k, count * width_v


def per_layer(about: Metadata, key: str, otherwise: int | None) -> list[int]:
    """One number for each layer, whether the header gives one or many."""
    blocks = about.number(about.own("block_count"))
    given = about.numbers(about.own(key)) or ([] if otherwise is None else [otherwise])
    return given[:blocks] if len(given) > 1 else given * min(blocks, 4096)


def has_cache(about: Metadata, number: int) -> bool:
    """Models that mix attention with states of fixed size attend in every so many layers only."""
    interval = about.number(about.own("full_attention_interval"), 1) or 1
    return (number + 1) % interval == 0


def cells_of(about: Metadata, number: int, context: int) -> int:
    window = about.number(about.own("attention.sliding_window"))
    whole = rounded(context)
    return min(rounded(window + MICRO_BATCH), whole) if window and is_windowed(about, number) else whole


def is_windowed(about: Metadata, number: int) -> bool:
    """The header's own pattern says it layer by layer, or how many layers make a round of which the last is whole."""
    pattern = about.entries.get(about.own("attention.sliding_window_pattern"))
    if isinstance(pattern, tuple):
        return bool(pattern[number % len(pattern)]) if pattern else False
    period = pattern if isinstance(pattern, int) else WINDOW_PERIODS.get(about.architecture, 0)
    return period > 0 and (number + 1) % period != 0


def rounded(tokens: int) -> int:
    return -(-tokens // CELLS) * CELLS
