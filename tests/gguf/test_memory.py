"""What a model's weights and cache take."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest

from llamaswap_py.gguf import memory
from llamaswap_py.gguf.header import Broken, Header, Tensor, Value, read_header
from llamaswap_py.gguf.kinds import CACHE_KINDS
from tests.fakes.tiny_gguf import Tiny

SHAPE: dict[str, Value] = {
    "general.architecture": "llama",
    "llama.block_count": 4,
    "llama.embedding_length": 1024,
    "llama.attention.head_count": 16,
    "llama.attention.head_count_kv": 4,
}
ROW = 4 * 64 * 2  # bytes of one layer's keys (or values) for one token at 16 bits


def header(entries: dict[str, Value] | None = None, *tensors: Tensor) -> Header:
    return Header(3, {**SHAPE, **(entries or {})}, tensors, 1024)


def under(architecture: str, **more: Value) -> Header:
    entries = {name.replace("llama.", f"{architecture}."): value for name, value in SHAPE.items()}
    entries |= {f"{architecture}.{name.replace('__', '.')}": value for name, value in more.items()}
    return Header(3, {**entries, "general.architecture": architecture}, (), 0)


def test_weights_and_length_are_those_that_the_package_counts(tmp_path: Path) -> None:
    path = Tiny().write(tmp_path / "tiny.gguf")
    data = path.read_bytes()
    ours = read_header(lambda offset, size: data[offset : offset + size])
    assert memory.weights(ours) == sum(tensor.n_bytes for tensor in gguf.GGUFReader(path).tensors)
    assert memory.file_size(ours) <= len(data) < memory.file_size(ours) + 32


def test_quantised_tensors_are_counted_in_whole_blocks() -> None:
    assert memory.weights(header(None, Tensor("a", (256, 2), 12, 0), Tensor("b", (33,), 2, 288))) == 2 * 144 + 2 * 18


def test_a_type_that_is_not_known_is_measured_by_the_gap_behind_it() -> None:
    known, unknown = Tensor("known", (8,), 0, 320), Tensor("unknown", (8,), 99, 0)
    assert memory.weights(header(None, known, unknown)) == 320 + 32
    assert memory.file_size(header(None, known)) == 1024 + 320 + 32
    with pytest.raises(Broken, match="'unknown' is of type 99"):
        memory.weights(header(None, unknown))


def test_a_header_without_tensors_needs_nothing() -> None:
    assert memory.weights(header()) == 0
    assert memory.file_size(header()) == 1024


def test_the_cache_grows_with_the_context_in_steps() -> None:
    assert memory.cache(header(), 1024) == 4 * 1024 * 2 * ROW
    assert memory.cache(header(), 1025) == 4 * 1280 * 2 * ROW
    assert memory.cache(header(), 0) == 0


@pytest.mark.parametrize("name", CACHE_KINDS)
def test_the_cache_shrinks_with_its_type(name: str) -> None:
    bits = {"f32": 32.0, "f16": 16.0, "bf16": 16.0, "q8_0": 8.5, "q5_1": 6.0, "q5_0": 5.5, "q4_1": 5.0}.get(name, 4.5)
    assert memory.cache(header(), 256, name, name) == 4 * 256 * 2 * 256 * bits / 8
    assert memory.cache(header(), 256, keys=name) == 4 * 256 * 256 * (bits + 16) / 8


def test_a_type_that_no_cache_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'q2_k'; the types are f32, f16"):
        memory.cache(header(), 256, "q2_k")


def test_lengths_of_keys_and_values_may_be_given_and_heads_for_each_layer() -> None:
    given: dict[str, Value] = {"llama.attention.key_length": 128, "llama.attention.value_length": 32}
    assert memory.cache(header(given), 256) == 4 * 256 * 4 * (128 + 32) * 2
    assert memory.cache(header({"llama.attention.head_count_kv": (4, 0, 8, 0)}), 256) == 256 * 12 * 64 * 2 * 2


def test_without_heads_of_their_own_keys_have_those_of_the_queries() -> None:
    entries = {name: value for name, value in SHAPE.items() if not name.endswith("head_count_kv")}
    assert memory.cache(Header(3, entries, (), 0), 256) == 4 * 256 * 1024 * 2 * 2


def test_a_model_that_does_not_attend_has_no_cache() -> None:
    assert memory.cache(Header(3, {"general.architecture": "mamba", "mamba.block_count": 48}, (), 0), 4096) == 0
    assert memory.cache(Header(3, {}, (), 0), 4096) == 0


def test_one_compressed_row_serves_as_keys_and_values() -> None:
    found = under("deepseek2", attention__key_length=576, attention__value_length=512, attention__key_length_mla=192)
    assert memory.cache(found, 256) == 4 * 256 * 4 * 576 * 2


def test_a_window_holds_no_more_than_itself_and_a_batch() -> None:
    """gpt-oss: every second layer sees 128 tokens."""
    found = under("gpt-oss", attention__sliding_window=128)
    assert memory.cache(found, 8192) == 2 * (8192 + 768) * 2 * ROW
    assert memory.cache(found, 256) == 4 * 256 * 2 * ROW


@pytest.mark.parametrize(
    ("pattern", "windowed"), [((True, False, True, True), 3), ((True,), 4), ((), 0), (2, 2), ("odd", 0), (0, 0)]
)
def test_the_headers_own_pattern_says_which_layers_have_a_window(pattern: Value, windowed: int) -> None:
    found = under("llama", attention__sliding_window=512, attention__sliding_window_pattern=pattern)
    assert memory.cache(found, 4096) == (windowed * 1024 + (4 - windowed) * 4096) * 2 * ROW


def test_layers_with_a_state_of_fixed_size_take_no_cache() -> None:
    assert memory.cache(under("qwen3next", full_attention_interval=4), 256) == 256 * 2 * ROW
    assert memory.cache(under("qwen3next", full_attention_interval=0), 256) == 4 * 256 * 2 * ROW


def test_a_number_of_layers_that_no_model_has_costs_no_time() -> None:
    assert memory.cache(under("llama", block_count=2**60), 256) > 0
