"""A model of our own making, served by the included engine through the proxy."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.fakes.tiny_gguf import Tiny
from tests.whole.program import LONG, Program, config
from tests.whole.talk import caller

pytest.importorskip("xllamacpp", reason="the engine's library is not installed on this platform")

INCLUDED = {"PATH": str(Path(sys.executable).parent), "LLAMA_SERVER": ""}  # no llama-server on PATH, and none named


async def test_a_streamed_answer_comes_from_a_real_model_through_the_macro(tmp_path: Path) -> None:
    """No llama-server on PATH, none named: `${llama_server}` is ours. Swapping to a second model works as well."""
    Tiny().write(tmp_path / "one.gguf")
    Tiny(seed=8).write(tmp_path / "two.gguf")
    models = [
        f"  {name}:\n    cmd: ${{llama_server}} -m {tmp_path / name}.gguf --port ${{PORT}} -c 2048 --mlock\n"
        for name in ("one", "two")
    ]
    body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 12, "ignore_eos": True, "stream": True}
    with Program(tmp_path, config(*models), env={**os.environ, **INCLUDED}) as program:
        async with caller(program) as client:
            said = [await streamed(client, {**body, "model": name, "temperature": 0}) for name in ("one", "two")]
    assert all(len(text) > 5 for text in said)
    assert said[0] != said[1]


ONE = "  one:\n    cmd: ${{llama_server}} -m {folder}/one.gguf --port ${{PORT}} -c 2048 --context-shift\n"
ENDLESS = {"model": "one", "messages": [{"role": "user", "content": "Hello"}], "ignore_eos": True, "stream": True}


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")
@pytest.mark.parametrize("victim", ["the program", "its keeper"])
def test_the_engine_ends_when_those_above_it_are_killed_while_it_generates(tmp_path: Path, victim: str) -> None:
    Tiny().write(tmp_path / "one.gguf")
    text = config(ONE.format(folder=tmp_path))
    with (
        Program(tmp_path, text, env={**os.environ, **INCLUDED}) as program,
        httpx.Client(base_url=program.url, timeout=LONG, trust_env=False) as client,
        client.stream("POST", "/v1/chat/completions", json={**ENDLESS, "max_tokens": 1_000_000}) as answer,
    ):
        assert next(answer.iter_lines()).startswith("data: ")
        (keeper,) = psutil.Process(program.process.pid).children()
        engines = keeper.children(recursive=True)
        assert engines
        (keeper.kill if victim == "its keeper" else program.process.kill)()
        _, alive = psutil.wait_procs(engines, timeout=LONG)
        assert alive == []


async def streamed(client: httpx.AsyncClient, body: dict[str, Any]) -> str:
    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        assert answer.status_code == 200
        lines = [line async for line in answer.aiter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    return "".join(re.findall(r'"content":"([^"]*)"', "".join(lines)))
