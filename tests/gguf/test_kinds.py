"""Our tables and those of PyPI's `gguf` say the same."""

from __future__ import annotations

import struct

import gguf
from gguf.constants import GGML_QUANT_SIZES

from llamaswap_py.gguf import kinds


def test_every_type_of_tensor_is_known_with_its_size() -> None:
    theirs = {int(kind): (kind.name, *GGML_QUANT_SIZES[kind]) for kind in gguf.GGMLQuantizationType}
    assert {number: tuple(kind) for number, kind in kinds.KINDS.items()} == theirs


def test_every_type_of_file_is_known_by_the_name_people_use() -> None:
    def short(name: str) -> str:
        return name.removeprefix("ALL_").removeprefix("MOSTLY_").removesuffix("_MOE")

    theirs = {int(kind): short(kind.name) for kind in gguf.LlamaFileType if kind.name != "GUESSED"}
    assert theirs == kinds.FILE_TYPES
    assert int(gguf.LlamaFileType.GUESSED) == kinds.GUESSED


def test_every_pooling_is_known() -> None:
    assert {int(kind): kind.name.lower() for kind in gguf.PoolingType} == kinds.POOLINGS


def test_every_type_of_value_is_known() -> None:
    theirs = {int(kind) for kind in gguf.GGUFValueType}
    assert theirs == {*kinds.SCALARS, kinds.STRING, kinds.ARRAY}
    assert int(gguf.GGUFValueType.BOOL) == kinds.BOOL
    assert all(struct.calcsize(letter) in (1, 2, 4, 8) for letter in kinds.SCALARS.values())
