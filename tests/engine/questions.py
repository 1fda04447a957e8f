"""What the engine is asked, so that its answers can be compared with a compiled llama-server's: one configuration,
served by the whole program with either of them behind `${llama_server}`, and every question in the same order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.engine.shape import Shape, answer
from tests.fakes.tiny_gguf import Tiny
from tests.whole.program import LONG, Program, config

FLAGS = {
    "chat": "-m {folder}/chat.gguf --metrics --props --slots",
    "tools": "-m {folder}/chat.gguf --chat-template-file {folder}/tools.jinja",
    "demo": "-m ${{demo_model}}",
    "embedding": "-m {folder}/embedding.gguf --embeddings",
    "reranker": "-m {folder}/reranker.gguf --rerank",
    "locked": "-m {folder}/chat.gguf --api-key secret",
}

# The model's own template knows no tools, and where llama.cpp sees no form of a call, it forces none.
TEMPLATE = """{% if tools %}<|im_start|>system
You may call these functions with an object of a name and arguments:
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}
{% if message.content %}{{ message.content }}{% endif %}{% for call in message.tool_calls or [] %}
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    path: str
    body: Any = None  # None: GET; bytes: as they are; else as JSON
    model: str = "chat"


# Answers are short, end where they must, and are the likeliest, so that their shapes do not depend on chance.
FIXED = {"temperature": 0, "seed": 1, "ignore_eos": True}
SHORT = {**FIXED, "max_tokens": 4}
HELLO = {"messages": [{"role": "user", "content": "Hello"}], **SHORT}
CHOICE = {
    "type": "object",
    "properties": {"answer": {"enum": ["yes", "no"]}},
    "required": ["answer"],
    "additionalProperties": False,
}
LOOK = {"type": "function", "function": {"name": "look", "description": "Look around.", "parameters": CHOICE}}
FORCED = {
    "messages": HELLO["messages"],
    "temperature": 0,
    "max_tokens": 200,
    "tools": [LOOK],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "logit_bias": [["{", 100]],  # or the model might chat before it calls
}
SCHEMED = {
    "messages": HELLO["messages"],
    "temperature": 0,
    "max_tokens": 200,
    "response_format": {"type": "json_schema", "json_schema": {"name": "choice", "schema": CHOICE}},
}
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
WATCHED = {"timings_per_token": True, "return_progress": True}
INPUT = {"input": "Hello", "max_output_tokens": 4, **FIXED}
TEXT = {"type": "text", "text": "Hello"}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
START_PORT = 17800  # away from the default, where other tests may run at the same time
CHAT = "/v1/chat/completions"


def said(*parts: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": parts}]}


QUESTIONS: tuple[Question, ...] = (
    Question("health", "/health"),
    Question("models", "/v1/models"),
    Question("models, llama.cpp's own", "/models"),
    Question("props", "/props"),
    Question("slots", "/slots"),
    Question("metrics", "/metrics"),
    Question("lora adapters", "/lora-adapters"),
    Question("chat", CHAT, HELLO),
    Question("chat, streamed", CHAT, {**HELLO, "stream": True}),
    Question("chat, streamed with usage", CHAT, {**HELLO, **STREAMED}),
    Question("chat with logprobs", CHAT, {**HELLO, "logprobs": True, "top_logprobs": 2}),
    Question("chat with timings and progress", CHAT, {**HELLO, **STREAMED, **WATCHED}),
    Question("chat of several parts", CHAT, {**SHORT, **said(TEXT)}),
    Question("chat with tools", CHAT, FORCED, "tools"),
    Question("chat with tools, streamed", CHAT, {**FORCED, **STREAMED}, "tools"),
    Question("chat by a JSON schema", CHAT, SCHEMED),
    Question("chat by a JSON schema, streamed", CHAT, {**SCHEMED, "stream": True}),
    Question("chat without messages", CHAT, {}),
    Question("chat with messages of no use", CHAT, {"messages": "Hello"}),
    Question("chat that is not JSON", CHAT, b"{"),
    Question("chat that is too long", CHAT, {**HELLO, "messages": [{"role": "user", "content": "x" * 9000}]}),
    Question("chat with a picture", CHAT, {**SHORT, **said(TEXT, PICTURE)}),
    Question("completion", "/completion", {"prompt": "Hello", "n_predict": 4, **FIXED}),
    Question("completion, streamed", "/completion", {"prompt": "Hello", "n_predict": 4, "stream": True, **FIXED}),
    Question("completion with chances", "/completion", {"prompt": "Hello", "n_predict": 2, "n_probs": 2, **FIXED}),
    Question("completion of no prompt", "/completion", {}),
    Question("OpenAI's completion", "/v1/completions", {"prompt": "Hello", **SHORT}),
    Question("OpenAI's completion, streamed", "/v1/completions", {"prompt": "Hello", "stream": True, **SHORT}),
    Question("infill", "/infill", {"input_prefix": "a", "input_suffix": "b", "n_predict": 4, **FIXED}),
    Question("tokenize", "/tokenize", {"content": "Hello"}),
    Question("tokenize with pieces", "/tokenize", {"content": "Hello", "with_pieces": True}),
    Question("detokenize", "/detokenize", {"tokens": [72, 73]}),
    Question("apply a template", "/apply-template", {"messages": HELLO["messages"]}),
    Question("responses", "/v1/responses", INPUT),
    Question("responses, streamed", "/v1/responses", {**INPUT, "stream": True}),
    Question("messages", "/v1/messages", HELLO),
    Question("messages, streamed", "/v1/messages", {**HELLO, "stream": True}),
    Question("messages without messages", "/v1/messages", {"max_tokens": 4}),
    Question("count of tokens", "/v1/messages/count_tokens", {"messages": HELLO["messages"]}),
    Question("properties that may be set", "/props", {}),
    Question("a slot that cannot be saved", "/slots/0?action=save", {"filename": "x"}),
    Question("embeddings of a chat model", "/v1/embeddings", {"input": "Hello"}),
    Question("ranks of a chat model", "/v1/rerank", {"query": "a", "documents": ["b"]}),
    Question("a path that is none", "/nowhere"),
    Question("slots afterwards", "/slots"),
    Question("chat with the demonstration model", CHAT, HELLO, "demo"),
    Question("chat with the demonstration model, streamed", CHAT, {**HELLO, "stream": True}, "demo"),
    Question("props of the demonstration model", "/props", None, "demo"),
    Question("embeddings", "/v1/embeddings", {"input": "Hello"}, "embedding"),
    Question("embeddings of several", "/v1/embeddings", {"input": ["Hello", "you"]}, "embedding"),
    Question("embeddings as base64", "/v1/embeddings", {"input": "Hello", "encoding_format": "base64"}, "embedding"),
    Question("embeddings, llama.cpp's own", "/embedding", {"content": "Hello"}, "embedding"),
    Question("embeddings of nothing", "/v1/embeddings", {}, "embedding"),
    Question("props of an embedding model", "/props", None, "embedding"),
    Question("metrics that are not switched on", "/metrics", None, "embedding"),
    Question("ranks", "/v1/rerank", {"query": "a", "documents": ["b", "c"]}, "reranker"),
    Question("ranks of nothing", "/v1/rerank", {}, "reranker"),
    Question("without the key", "/v1/models", None, "locked"),
    Question("health without the key", "/health", None, "locked"),
)  # fmt: skip


def write_models(folder: Path) -> None:
    for kind in ("chat", "embedding", "reranker"):
        Tiny(name=kind).write(folder / f"{kind}.gguf", kind)
    (folder / "tools.jinja").write_text(TEMPLATE)


def configuration(folder: Path) -> str:
    """Read by both; only what `${llama_server}` stands for differs."""
    return config(
        *(
            f"  {name}:\n    cmd: ${{llama_server}} {flags.format(folder=folder)} --port ${{PORT}} -c 2048\n"
            for name, flags in FLAGS.items()
        ),
        startPort=START_PORT,
        upstream="{quietPaths: []}",  # a question about properties starts its model, as any other does
    )


def ask_all(folder: Path, env: Mapping[str, str]) -> dict[str, Shape]:
    """`folder` has the models; `env` says which llama-server it is."""
    with (
        Program(folder, configuration(folder), env={**os.environ, **env}) as program,
        httpx.Client(base_url=program.url, timeout=LONG, trust_env=False) as client,
    ):
        return {question.name: put(client, question) for question in QUESTIONS}


def put(client: httpx.Client, question: Question) -> Shape:
    path = f"/upstream/{question.model}{question.path}"
    if question.body is None:
        got = client.get(path)
    elif isinstance(question.body, bytes):
        got = client.post(path, content=question.body, headers={"Content-Type": "application/json"})
    else:
        got = client.post(path, json=question.body)
    assert '"src":"llama-swap"' not in got.text, got.text  # nothing of the engine's: it did not start
    return answer(got.status_code, got.headers.get("content-type", ""), got.text)
