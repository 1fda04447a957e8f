"""What the fake llama-server says, in llama-server's shapes. Pure: a question in, events out.

Answers depend on the server's name and the prompt only, so a test can ask `text_of` what must have arrived,
and see which server it came from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]

DEFAULT_WORDS = 8  # enough for a stream to have a middle
CREATED = 1_700_000_000  # a fixed moment: two answers to one question are the same bytes
WORDS = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "hazel", "iris", "jade", "kelp", "lotus", "maple",
    "north", "ochre", "pine", "quartz", "reed", "slate", "tulip", "umber", "violet", "willow", "xenon", "yarrow",
    "zephyr", "été", "straße", "日本", "🙂", "naïve", "coöp",
]  # fmt: skip


def tokens_of(model: str, prompt: str, count: int = DEFAULT_WORDS, pad: int = 0) -> list[str]:
    """The tokens this model answers this prompt with; each ends in a space. `pad` makes each that much longer."""
    digest = hashlib.sha256(f"{model}\0{prompt}".encode()).digest()
    filler = "x" * pad
    return [f"{WORDS[(digest[i % 32] + i // 32) % len(WORDS)]}{filler} " for i in range(count)]


def text_of(model: str, prompt: str, count: int = DEFAULT_WORDS, pad: int = 0) -> str:
    """The whole text this model answers this prompt with."""
    return "".join(tokens_of(model, prompt, count, pad))


class Question(NamedTuple):
    model: str
    prompt: str
    tokens: list[str]
    cut_short: bool  # max_tokens was smaller than what there was to say
    body: Json

    @property
    def text(self) -> str:
        return "".join(self.tokens)

    @property
    def prompt_tokens(self) -> int:
        return len(self.prompt.split())

    @property
    def number(self) -> str:
        return hashlib.sha256(f"{self.model}\0{self.prompt}".encode()).hexdigest()[:24]

    @property
    def timings(self) -> Json:
        return {
            "cache_n": 0, "prompt_n": self.prompt_tokens, "prompt_ms": 10.0, "prompt_per_second": 100.0,
            "predicted_n": len(self.tokens), "predicted_ms": 20.0, "predicted_per_second": 50.0,
        }  # fmt: skip


class Answer(NamedTuple):
    """A whole answer, and the same as a stream: what comes first, one event per token, what comes last."""

    whole: Json
    opening: Sequence[bytes] = ()
    tokens: Sequence[bytes] = ()
    closing: Sequence[bytes] = ()


def dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def data(value: object) -> bytes:
    return f"data: {dumps(value)}\n\n".encode()


def event(value: Json) -> bytes:
    return f"event: {value['type']}\ndata: {dumps(value)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def error(status: int, kind: str, message: str) -> Json:
    return {"error": {"code": status, "message": message, "type": kind}}


def question(model: str, body: Json, words: int | None, pad: int) -> Question:
    prompt = prompt_of(body)
    count = DEFAULT_WORDS if words is None else words
    limits = ("max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict")
    limit = next((body[key] for key in limits if isinstance(body.get(key), int) and body[key] >= 0), count)
    return Question(model, prompt, tokens_of(model, prompt, min(count, limit), pad), limit < count, body)


def prompt_of(body: Json) -> str:
    """The last message's text, or the prompt, or the input."""
    messages = body.get("messages") or body.get("input") or body.get("prompt") or body.get("query") or ""
    last = messages[-1] if isinstance(messages, list) and messages else messages
    content = last.get("content", "") if isinstance(last, dict) else last
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return str(content)


def chat(q: Question) -> Answer:
    head = {"created": CREATED, "id": f"chatcmpl-{q.number}", "model": q.model, "system_fingerprint": "b1-fake"}
    finish = "length" if q.cut_short else "stop"
    usage = _usage(q)

    def chunk(delta: Json, reason: str | None = None, **more: object) -> bytes:
        choices = [{"finish_reason": reason, "index": 0, "delta": delta}]
        return data({"choices": choices, **head, "object": "chat.completion.chunk", **more})

    options = q.body.get("stream_options")
    wants_usage = isinstance(options, dict) and options.get("include_usage")
    tail = [data({"choices": [], **head, "object": "chat.completion.chunk", "usage": usage})] if wants_usage else []
    message = {"role": "assistant", "content": q.text}
    choices = [{"finish_reason": finish, "index": 0, "message": message}]
    return Answer(
        {"choices": choices, **head, "object": "chat.completion", "usage": usage, "timings": q.timings},
        [chunk({"role": "assistant", "content": None})],
        [chunk({"content": token}) for token in q.tokens],
        [chunk({}, finish, timings=q.timings), *tail, DONE],
    )


def completions(q: Question) -> Answer:
    head = {"created": CREATED, "id": f"cmpl-{q.number}", "model": q.model, "object": "text_completion"}
    finish = "length" if q.cut_short else "stop"

    def choice(text: str, reason: str | None) -> Json:
        return {"choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": reason}], **head}

    last = {**choice("", finish), "usage": _usage(q), "timings": q.timings}
    return Answer(
        {**choice(q.text, finish), "usage": _usage(q), "timings": q.timings},
        [],
        [data(choice(token, None)) for token in q.tokens],
        [data(last), DONE],
    )


def native(q: Question) -> Answer:
    """`/completion` and `/infill`: llama.cpp's own shape, whose stream has no [DONE]."""
    last = {
        "index": 0, "content": "", "id_slot": 0, "stop": True, "model": q.model, "tokens_predicted": len(q.tokens),
        "tokens_evaluated": q.prompt_tokens, "stop_type": "limit" if q.cut_short else "eos", "timings": q.timings,
    }  # fmt: skip
    pieces = [{"index": 0, "content": token, "tokens": [], "stop": False, "id_slot": 0} for token in q.tokens]
    return Answer({**last, "content": q.text}, [], [data(piece) for piece in pieces], [data(last)])


def messages(q: Question) -> Answer:
    counts = {"cache_read_input_tokens": 0, "input_tokens": q.prompt_tokens}
    head = {"id": f"msg_{q.number}", "type": "message", "role": "assistant", "model": q.model}
    reason = "max_tokens" if q.cut_short else "end_turn"
    start: Json = {**head, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {**counts}}
    start["usage"]["output_tokens"] = 0
    spent = {"output_tokens": len(q.tokens)}
    whole = {
        **start,
        "content": [{"type": "text", "text": q.text}],
        "stop_reason": reason,
        "usage": {**counts, **spent},
    }

    def delta(token: str) -> bytes:
        return event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": token}})

    return Answer(
        whole,
        [
            event({"type": "message_start", "message": start}),
            event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ],
        [delta(token) for token in q.tokens],
        [
            event({"type": "content_block_stop", "index": 0}),
            event({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": spent}),
            event({"type": "message_stop"}),
        ],
    )


def responses(q: Question) -> Answer:
    part = {"type": "output_text", "text": q.text, "annotations": [], "logprobs": []}
    item = {"type": "message", "id": f"msg_{q.number}", "role": "assistant", "status": "completed", "content": [part]}
    head = {"id": f"resp_{q.number}", "object": "response", "created_at": CREATED, "model": q.model}
    fixed = {"parallel_tool_calls": False, "tool_choice": "auto", "tools": []}
    spent = len(q.tokens)
    usage = {
        "input_tokens": q.prompt_tokens, "output_tokens": spent, "total_tokens": q.prompt_tokens + spent,
        "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
    whole = {**head, **fixed, "completed_at": CREATED, "output": [item], "status": "completed", "usage": usage}
    begun = {**head, **fixed, "output": [], "status": "in_progress"}
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    empty = {**part, "text": ""}
    middle: list[Json] = [
        {"type": "response.output_text.delta", **place, "delta": token, "logprobs": []} for token in q.tokens
    ]
    first: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **place, "part": empty},
    ]
    last: list[Json] = [
        {"type": "response.output_text.done", **place, "text": q.text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    numbered = [event({**piece, "sequence_number": i}) for i, piece in enumerate(first + middle + last)]
    end = len(first) + len(middle)
    return Answer(whole, numbered[: len(first)], numbered[len(first) : end], numbered[end:])


def embeddings(q: Question) -> Answer:
    inputs = q.body.get("input", q.body.get("content", ""))
    texts = inputs if isinstance(inputs, list) else [inputs]
    as_base64 = q.body.get("encoding_format") == "base64"
    rows = [
        {"object": "embedding", "index": i, "embedding": _vector(q.model, str(text), as_base64)}
        for i, text in enumerate(texts)
    ]
    counts = {"prompt_tokens": q.prompt_tokens, "total_tokens": q.prompt_tokens}
    return Answer({"model": q.model, "object": "list", "usage": counts, "data": rows})


def rerank(q: Question) -> Answer:
    documents = q.body.get("documents") or q.body.get("texts") or []
    query = str(q.body.get("query", ""))
    rows = [
        {"index": i, "relevance_score": hashlib.sha256(f"{query}\0{document}".encode()).digest()[0] / 255}
        for i, document in enumerate(documents)
    ]
    rows.sort(key=lambda row: -row["relevance_score"])
    counts = {"prompt_tokens": q.prompt_tokens, "total_tokens": q.prompt_tokens}
    return Answer({"model": q.model, "object": "list", "usage": counts, "results": rows})


def count_tokens(q: Question) -> Answer:
    return Answer({"input_tokens": q.prompt_tokens})


def models(alias: str) -> Json:
    meta = {"vocab_type": 2, "n_vocab": 262, "n_ctx_train": 2048, "n_embd": 64, "n_params": 100_000, "size": 200_000}
    row = {"id": alias, "object": "model", "created": CREATED, "owned_by": "llamacpp", "meta": meta}
    old = {"name": alias, "model": alias, "type": "model", "capabilities": ["completion"]}
    return {"models": [old], "object": "list", "data": [row]}


def props(alias: str) -> Json:
    settings = {"id": 0, "n_ctx": 2048, "speculative": False, "is_processing": False}
    return {
        "default_generation_settings": settings, "total_slots": 4, "model_alias": alias, "model_path": f"{alias}.gguf",
        "modalities": {"vision": False, "audio": False}, "chat_template": "", "build_info": "b1-fake",
        "is_sleeping": False,
    }  # fmt: skip


def _usage(q: Question) -> Json:
    spent = len(q.tokens)
    return {
        "completion_tokens": spent, "prompt_tokens": q.prompt_tokens, "total_tokens": spent + q.prompt_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }  # fmt: skip


def _vector(model: str, text: str, as_base64: bool) -> str | list[float]:
    import base64  # only this one answer needs them, and the fake must start fast
    import struct

    numbers = [byte / 256 for byte in hashlib.sha256(f"{model}\0{text}".encode()).digest()[:8]]
    return base64.b64encode(struct.pack("<8f", *numbers)).decode() if as_base64 else numbers


ROUTES: dict[str, Callable[[Question], Answer]] = {
    "/v1/chat/completions": chat,
    "/chat/completions": chat,
    "/v1/completions": completions,
    "/completions": native,
    "/completion": native,
    "/infill": native,
    "/v1/messages": messages,
    "/v1/messages/count_tokens": count_tokens,
    "/v1/responses": responses,
    "/v1/embeddings": embeddings,
    "/embeddings": embeddings,
    "/v1/rerank": rerank,
    "/rerank": rerank,
    "/v1/reranking": rerank,
    "/reranking": rerank,
}
