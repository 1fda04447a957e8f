"""What a header says about its model, and nothing where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from llamaswap_py.gguf.facts import ENCODERS, Facts, Purpose, facts
from llamaswap_py.gguf.header import Header, Skipped, Tensor, Value

WEIGHT = Tensor("token_embd.weight", (64, 32), 1, 0)


def about(entries: Mapping[str, Value], *tensors: Tensor) -> Facts:
    return facts(Header(3, entries, tensors, 0))


def model(**entries: Value) -> dict[str, Value]:
    return {"general.architecture": "llama", **{name.replace("__", "."): value for name, value in entries.items()}}


def test_everything_a_header_says_is_found() -> None:
    found = about(
        {
            "general.architecture": "qwen3",
            "general.name": "Qwen3 4B",
            "general.file_type": 15,
            "qwen3.context_length": 40960,
            "qwen3.embedding_length": 2560,
            "qwen3.block_count": 36,
            "qwen3.attention.head_count": 32,
            "qwen3.attention.head_count_kv": (8, 0, 4),
            "tokenizer.ggml.tokens": Skipped(151936),
            "tokenizer.chat_template": "{{ messages }}",
            "split.no": 1,
            "split.count": 3,
        },
        WEIGHT,
        Tensor("output_norm.weight", (64,), 0, 0),
    )
    assert found == Facts(
        architecture="qwen3",
        name="Qwen3 4B",
        purpose=Purpose.TEXT,
        parameters=64 * 32 + 64,
        quantisation="Q4_K_M",
        context_length=40960,
        embedding_length=2560,
        block_count=36,
        head_count=32,
        head_count_kv=8,
        vocabulary=151936,
        pooling="",
        has_chat_template=True,
        split_number=1,
        split_count=3,
    )


def test_a_header_that_says_nothing_is_of_no_model() -> None:
    found = about({})
    assert found.purpose == Purpose.OTHER
    assert (found.name, found.quantisation, found.pooling, found.vocabulary) == ("", "", "", 0)
    assert (found.split_number, found.split_count, found.parameters) == (0, 1, 0)


def test_entries_of_an_unexpected_type_are_as_none() -> None:
    found = about(model(general__name=7, llama__context_length="long", llama__block_count=-1), WEIGHT)
    assert (found.name, found.context_length, found.block_count) == ("", 0, 0)


def test_a_vocabulary_is_counted_or_said() -> None:
    assert about(model(tokenizer__ggml__tokens=("a", "b")), WEIGHT).vocabulary == 2
    assert about(model(llama__vocab_size=9), WEIGHT).vocabulary == 9


@pytest.mark.parametrize(
    ("entries", "purpose"),
    [
        ({}, Purpose.TEXT),
        ({"llama.pooling_type": 0}, Purpose.TEXT),
        ({"llama.pooling_type": 1}, Purpose.EMBEDDING),
        ({"llama.pooling_type": 2}, Purpose.EMBEDDING),
        ({"llama.pooling_type": 3}, Purpose.EMBEDDING),
        ({"llama.pooling_type": 4}, Purpose.RERANKER),
        ({"general.name": "E5 Embedding"}, Purpose.EMBEDDING),
        ({"general.basename": "some-reranker"}, Purpose.RERANKER),
        ({"general.type": "mmproj"}, Purpose.PROJECTOR),
        ({"general.architecture": "clip"}, Purpose.PROJECTOR),
        ({"general.type": "adapter"}, Purpose.ADAPTER),
        ({"general.type": "imatrix"}, Purpose.OTHER),
        ({"general.type": "model"}, Purpose.TEXT),
        *(({"general.architecture": name}, Purpose.EMBEDDING) for name in sorted(ENCODERS)),
    ],
)
def test_what_a_model_is_for_is_recognised(entries: dict[str, Value], purpose: Purpose) -> None:
    assert about({**model(), **entries}, WEIGHT).purpose == purpose


@pytest.mark.parametrize("name", ["cls.weight", "cls.output.weight"])
def test_a_classifier_makes_a_reranker(name: str) -> None:
    entries: dict[str, Value] = {"general.architecture": "bert", "bert.pooling_type": 2}
    assert about(entries, WEIGHT, Tensor(name, (2, 64), 1, 0)).purpose == Purpose.RERANKER


def test_a_file_with_a_vocabulary_and_no_tensor_is_no_model_unless_it_is_part_of_one() -> None:
    assert about(model()).purpose == Purpose.OTHER
    assert about(model(split__count=2)).purpose == Purpose.TEXT
    assert about({"split.count": 2, "split.no": 1}, WEIGHT).purpose == Purpose.TEXT


@pytest.mark.parametrize(
    ("said", "name"), [({"general.file_type": 1024 + 7}, "Q8_0"), ({"general.file_type": 999}, ""), ({}, "F16")]
)
def test_the_quantisation_is_what_the_file_says_else_what_most_numbers_are(said: dict[str, Value], name: str) -> None:
    assert about({**model(), **said}, WEIGHT, Tensor("norm", (64,), 0, 0)).quantisation == name


def test_a_type_of_tensor_that_is_not_known_has_no_name() -> None:
    assert about(model(), Tensor("new", (64,), 77, 0)).quantisation == ""
