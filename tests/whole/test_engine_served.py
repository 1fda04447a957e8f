"""A model of our own making, served by the included engine through the proxy."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.tiny_gguf import Tiny
from tests.whole.program import Program, config
from tests.whole.talk import caller

pytest.importorskip("xllamacpp", reason="the engine's library is not installed on this platform")


async def test_a_streamed_answer_comes_from_a_real_model_through_the_macro(tmp_path: Path) -> None:
    """No llama-server on PATH, none named: `${llama_server}` is ours. Swapping to a second model works as well."""
    Tiny().write(tmp_path / "one.gguf")
    Tiny(seed=8).write(tmp_path / "two.gguf")
    models = [
        f"  {name}:\n    cmd: ${{llama_server}} -m {tmp_path / name}.gguf --port ${{PORT}} -c 2048 --mlock\n"
        for name in ("one", "two")
    ]
    env = {"PATH": str(Path(sys.executable).parent), "LLAMA_SERVER": ""}
    body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 12, "ignore_eos": True, "stream": True}
    with Program(tmp_path, config(*models), env={**os.environ, **env}) as program:
        async with caller(program) as client:
            said = [await streamed(client, {**body, "model": name, "temperature": 0}) for name in ("one", "two")]
    assert all(len(text) > 5 for text in said)
    assert said[0] != said[1]


async def streamed(client: httpx.AsyncClient, body: dict[str, Any]) -> str:
    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        assert answer.status_code == 200
        lines = [line async for line in answer.aiter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    return "".join(re.findall(r'"content":"([^"]*)"', "".join(lines)))
