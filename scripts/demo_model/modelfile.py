"""The file: weights, vocabulary and template as a GGUF of the llama architecture."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer

from scripts.demo_model.network import Shape, Weights
from scripts.demo_model.template import END, NONE, jinja
from scripts.demo_model.vocabulary import CONTROL

CONTEXT = 2048
# The answers are few and sure. Logits are spread by this factor, so that a client that asks for temperature 1 gets what
# 0.25 would be.
SURENESS = 4.0


def write(path: Path, shape: Shape, weights: Weights, tokenizer: Tokenizer) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    describe(writer, shape)
    add_vocabulary(writer, tokenizer)
    add_tensors(writer, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def describe(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name("llamaswap_py demonstration model")
    writer.add_basename("llamaswap-demo")
    writer.add_size_label("2M")
    writer.add_license("apache-2.0")
    writer.add_description("A very small model that answers questions about llamaswap_py, and nothing else.")
    writer.add_languages(["en"])
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def add_vocabulary(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    read = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(read["vocab"], key=read["vocab"].__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if token in CONTROL else gguf.TokenType.NORMAL for token in tokens])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in read["merges"]])
    writer.add_bos_token_id(read["vocab"][NONE])
    writer.add_eos_token_id(read["vocab"][END])
    writer.add_eot_token_id(read["vocab"][END])
    writer.add_pad_token_id(read["vocab"][NONE])
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(jinja())


def add_tensors(writer: gguf.GGUFWriter, weights: Weights) -> None:
    for name, value in weights.items():
        if isinstance(value, dict):
            for part, matrix in value.items():
                add_tensor(writer, f"{name}.{part}.weight", np.asarray(matrix, np.float32))
        else:
            matrix = np.asarray(value, np.float32)
            add_tensor(writer, f"{name}.weight", matrix * SURENESS if name == "output_norm" else matrix)


def add_tensor(writer: gguf.GGUFWriter, name: str, value: np.ndarray) -> None:
    if value.ndim == 1:  # norms stay as they are
        writer.add_tensor(name, value)
        return
    rows = value if name == "token_embd.weight" else value.T  # llama.cpp keeps a matrix by its outputs
    kind = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(rows), kind), raw_dtype=kind)
