"""A model of a quarter of a megabyte that a real engine loads: random weights, printable text, sentences that end.

The first channel of the residual stream is the same for every token; the output layer turns it into a liking for
printable ASCII and for the end of the turn, so that streams are valid UTF-8 and stop after some hundred tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
BOS, EOS, START, END, PAD = "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|pad|>"
SPECIAL = (BOS, EOS, "<unk>", START, END, PAD)
MERGES = (("Ġ", "t"), ("h", "e"), ("i", "n"), ("e", "r"), ("a", "n"), ("Ġt", "he"), ("o", "n"))


@dataclass(frozen=True, slots=True)
class Tiny:
    """The shape of one; `write` puts it on disk."""

    name: str = "tiny"
    context: int = 2048
    width: int = 64
    layers: int = 2
    heads: int = 4
    heads_kv: int = 2
    inner: int = 128
    seed: int = 7

    def write(self, path: Path, kind: str = "chat") -> Path:
        """`kind` is chat, embedding or reranker."""
        writer = gguf.GGUFWriter(str(path), "qwen3" if kind == "reranker" else "llama")
        self.describe(writer)
        add_vocabulary(writer, chat=kind == "chat")
        if kind == "embedding":
            writer.add_pooling_type(gguf.PoolingType.MEAN)
        if kind == "reranker":
            writer.add_pooling_type(gguf.PoolingType.RANK)
            writer.add_array("qwen3.classifier.output_labels", ["yes", "no"])
        for name, values in self.tensors(kind == "reranker").items():
            writer.add_tensor(name, values)
        finish(writer)
        return path

    def describe(self, writer: gguf.GGUFWriter) -> None:
        each = self.width // self.heads
        writer.add_name(self.name)
        writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
        writer.add_context_length(self.context)
        writer.add_embedding_length(self.width)
        writer.add_block_count(self.layers)
        writer.add_feed_forward_length(self.inner)
        writer.add_head_count(self.heads)
        writer.add_head_count_kv(self.heads_kv)
        writer.add_key_length(each)
        writer.add_value_length(each)
        writer.add_rope_dimension_count(each)
        writer.add_rope_freq_base(10000.0)
        writer.add_layer_norm_rms_eps(1e-5)

    def tensors(self, ranks: bool) -> dict[str, Any]:
        random = np.random.default_rng(self.seed)
        tokens = vocabulary()
        rows, each = len(tokens), self.width // self.heads

        def noise(scale: float, *shape: int) -> Any:
            return (random.standard_normal(shape) * scale).astype(np.float16)

        def ones(size: int) -> Any:
            return np.ones(size, dtype=np.float32)

        embedding, output = noise(0.6, rows, self.width), noise(0.25, rows, self.width)
        embedding[:, 0], output[:, 0] = 2.0, -4.0
        output[[tokens.index(token) for token in (*map(chr, range(33, 127)), "Ġ", END)], 0] = 1.0
        found = {"token_embd.weight": embedding, "output_norm.weight": ones(self.width), "output.weight": output}
        for number in range(self.layers):
            layer = {
                "attn_norm": ones(self.width),
                "attn_q": noise(0.1, self.heads * each, self.width),
                "attn_k": noise(0.1, self.heads_kv * each, self.width),
                "attn_v": noise(0.1, self.heads_kv * each, self.width),
                "attn_output": noise(0.05, self.width, self.heads * each),
                "ffn_norm": ones(self.width),
                "ffn_gate": noise(0.1, self.inner, self.width),
                "ffn_up": noise(0.1, self.inner, self.width),
                "ffn_down": noise(0.05, self.width, self.inner),
            }
            if ranks:
                layer |= {"attn_q_norm": ones(each), "attn_k_norm": ones(each)}
            found |= {f"blk.{number}.{name}.weight": values for name, values in layer.items()}
        return found | ({"cls.output.weight": noise(0.5, 2, self.width)} if ranks else {})


def vocabulary() -> list[str]:
    return [*byte_letters(), *("".join(pair) for pair in MERGES), *SPECIAL]


def byte_letters() -> list[str]:
    """GPT-2 writes each byte as one visible letter: itself where it is visible, else the next one from 256 on."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = iter(range(256, 512))
    return [chr(byte if byte in visible else next(hidden)) for byte in range(256)]


def add_vocabulary(writer: gguf.GGUFWriter, chat: bool) -> None:
    tokens = vocabulary()
    normal = len(tokens) - len(SPECIAL)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * normal + [gguf.TokenType.CONTROL] * len(SPECIAL))
    writer.add_token_merges([" ".join(pair) for pair in MERGES])
    writer.add_bos_token_id(tokens.index(BOS))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_sep_token_id(tokens.index(EOS))
    writer.add_pad_token_id(tokens.index(PAD))
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(not chat)
    if chat:
        writer.add_chat_template(TEMPLATE)


def write_header(path: Path, architecture: str, entries: dict[str, Any], tensors: Sequence[str] = ()) -> Path:
    """A file with these entries, an integer as 32 bits, and each tensor of 2 x 32 single floats."""
    writer = gguf.GGUFWriter(str(path), architecture)
    for key, value in entries.items():
        add(writer, key, value)
    for name in tensors:
        writer.add_tensor(name, np.zeros((2, 32), dtype=np.float32))
    finish(writer)
    return path


def add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)


def finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
