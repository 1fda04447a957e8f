"""What the running program writes down of its requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.fakes import llama_answers as answers
from tests.whole.asking import caller, settings
from tests.whole.program import Program, model

TEXT = "how many words are in this"
CHAT = {"messages": [{"role": "user", "content": TEXT}]}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": CHAT,
    "/v1/completions": {"prompt": TEXT},
    "/completion": {"prompt": TEXT},
    "/infill": {"prompt": TEXT},
    "/v1/messages": {**CHAT, "max_tokens": 100},
    "/v1/responses": {"input": TEXT},
    "/v1/embeddings": {"input": TEXT},
    "/v1/rerank": {"query": TEXT, "documents": ["a", "b"]},
}


def rows(client: httpx.Client, **query: object) -> list[dict[str, Any]]:
    found = client.get("/api/metrics/activity", params=query).raise_for_status().json()["data"]  # type: ignore[arg-type]
    assert isinstance(found, list)
    return found


def test_a_row_says_what_the_server_said_of_every_format_streamed_and_whole(tmp_path: Path) -> None:
    with Program(tmp_path, settings(model("a"))) as program, caller(program) as client:
        for path, body in BODIES.items():
            for stream in (False, True):
                asked = {"model": "a", "stream": stream, **body}
                client.post(path, json=asked).raise_for_status()
                q = answers.question("a", asked, None, 0)
                spent = 0 if path in ("/v1/embeddings", "/v1/rerank") else len(q.tokens)
                [row] = rows(client, limit=1)
                assert (row["model"], row["req_path"], row["resp_status_code"]) == ("a", path, 200)
                tokens = row["tokens"]
                assert (tokens["input_tokens"], tokens["output_tokens"]) == (q.prompt_tokens, spent), (path, stream)
