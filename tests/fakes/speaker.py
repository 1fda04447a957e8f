#!/usr/bin/env python3
"""A model's server that says what a person may see: long Markdown, thinking, markup that means harm; and that makes
vectors, ranks, sounds and pictures.

Run it as `python tests/fakes/speaker.py --port N`. A word in the last message chooses the answer (`SAYINGS`), else it
says hello. `hold` in it: half of the answer, then the rest once the caller has gone, which is to say never.
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MARKDOWN = """## Merging two sorted lists

Walk through both at once and take the smaller head each time. That is **O(n + m)**, and nothing is compared twice:

```python
def merged(left: list[int], right: list[int]) -> list[int]:
    out, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            out.append(left[i]); i += 1
        else:
            out.append(right[j]); j += 1
    return out + left[i:] + right[j:]
```

1. Both lists must be sorted already.
2. The order of equal items is kept, because of `<=`.

| list | length | time |
|---|---|---|
| short | 1,000 | 0.1 ms |
| long | 1,000,000 | 110 ms |

> For many lists at once, `heapq.merge` does the same lazily.
"""
HOSTILE = """<script>window.harmed = 'script'</script><img src=x onerror="window.harmed='image'">

<a href="javascript:window.harmed='link'">press</a> [press](javascript:window.harmed='link') [data](data:text/html,harm)

![a picture](http://127.0.0.1:9/tracker.png?secret "title") ![inline](data:image/png;base64,AAAA)

<style>body{display:none}</style><form action="http://127.0.0.1:9/"><input name="key"></form>

<iframe srcdoc="<script>parent.harmed='frame'</script>"></iframe> <svg onload="window.harmed='svg'"></svg>

```"><img src=x onerror=window.harmed='fence'>
code
```

http://127.0.0.1:9/plain and the end.
"""
THINKING = (
    "First the question itself. Two sorted lists: a walk with two places is enough. Then an example, then the cost."
)
SAYINGS = {
    "merge": MARKDOWN,
    "hostile": HOSTILE,
    "think": f"<think>{THINKING}</think>\n\nWith two places, in **one walk**.",
}
HELLO = "Hello! I am here to help."
PIECE = 7  # characters


def png(side: int = 96) -> bytes:
    """A picture of colours that run into each other."""
    rows = b"".join(
        b"\0" + bytes(part for x in range(side) for part in (x * 255 // side, y * 255 // side, 160))
        for y in range(side)
    )
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def wav(seconds: int = 1, rate: int = 8000) -> bytes:
    """Silence."""
    sound = b"\x80" * (seconds * rate)
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate, 1, 8)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(sound)) + b"WAVE" + head + b"data" + struct.pack("<I", len(sound)) + sound
    )


def vector(text: str, size: int = 64) -> list[float]:
    """Counts of pairs of letters: texts with the same words are alike."""
    found = [0.0] * size
    for pair in zip(text.lower(), text.lower()[1:], strict=False):
        found[zlib.crc32("".join(pair).encode()) % size] += 1.0
    return found


def prompt(body: dict[str, Any]) -> str:
    said = body["messages"][-1]["content"]
    return said if isinstance(said, str) else " ".join(part.get("text", part["type"]) for part in said)


def answer(body: dict[str, Any]) -> str:
    asked = prompt(body)
    return next((said for word, said in SAYINGS.items() if word in asked), f"{HELLO} You sent {len(asked)} characters.")


def chunk(delta: dict[str, Any], **more: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}], **more}).encode() + b"\n\n"


class Exchange(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send("application/json", b'{"status":"ok"}')

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/v1/audio/transcriptions":
            self.tell({"text": f"A recording of {len(raw)} bytes."})
            return
        body = json.loads(raw)
        match self.path:
            case "/v1/chat/completions":
                self.converse(body)
            case "/v1/embeddings":
                self.tell({"data": [{"index": i, "embedding": vector(text)} for i, text in enumerate(body["input"])]})
            case "/v1/rerank":
                self.tell({"results": list(ranks(body))})
            case "/v1/audio/speech":
                self.send("audio/wav", wav())
            case "/v1/images/generations":
                self.tell({"data": [{"b64_json": base64.b64encode(png()).decode()}] * body.get("n", 1)})
            case _:
                self.send_error(404)

    def converse(self, body: dict[str, Any]) -> None:
        said = answer(body)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        pieces = [said[start : start + PIECE] for start in range(0, len(said), PIECE)]
        held = "hold" in prompt(body)
        for piece in pieces[: len(pieces) // 2] if held else pieces:
            self.wfile.write(chunk({"content": piece}))
        if held:
            self.rfile.read(1)  # nothing more comes: it returns when the caller has gone
            return
        usage = {"prompt_tokens": len(prompt(body).split()), "completion_tokens": len(pieces)}
        timings = {"predicted_per_second": 87.5, "prompt_per_second": 1210.0}
        self.wfile.write(chunk({}, usage=usage, timings=timings) + b"data: [DONE]\n\n")

    def tell(self, value: object) -> None:
        self.send("application/json", json.dumps(value).encode())

    def send(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: object) -> None:
        """Nobody reads it."""


def ranks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    asked = set(body["query"].lower().split())
    for index, text in enumerate(body["documents"]):
        shared = asked & set(text.lower().split())
        yield {"index": index, "relevance_score": len(shared) / len(asked)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    with ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Exchange) as server:
        server.daemon_threads = True
        server.serve_forever()
