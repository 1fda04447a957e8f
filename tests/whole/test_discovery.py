"""Models that nobody wrote down: found at the start, found later, gone again; and without any configuration."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx
import pytest

from tests.fakes.tiny_gguf import Tiny
from tests.whole.program import LONG, ROOT, Program
from tests.whole.talk import caller

pytest.importorskip("xllamacpp", reason="the engine's library is not installed on this platform")

ENGINE = {"PATH": str(Path(sys.executable).parent), "LLAMA_SERVER": "", "LLAMASWAP_MODELS": ""}
BODY = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4, "ignore_eos": True}


async def listed(client: httpx.AsyncClient) -> list[str]:
    return [row["id"] for row in (await client.get("/v1/models")).json()["data"]]


async def test_a_model_that_is_copied_to_a_running_server_answers(tmp_path: Path) -> None:
    """It appears when it is complete, without a restart, and what runs goes on; when it is gone, so is its name."""
    folder = tmp_path / "models"
    folder.mkdir()
    made = Tiny().write(tmp_path / "made.bin").read_bytes()
    with Program(tmp_path, "discover: [models]\n", watch=False, env={**os.environ, **ENGINE}) as program:
        async with caller(program) as client:
            assert await listed(client) == []
            with (folder / "Tiny-7B-Q4_K_M.gguf").open("wb") as file:
                file.write(made[: len(made) // 2])
                file.flush()
                await asyncio.to_thread(program.wait_for, "Tiny-7B-Q4_K_M.gguf is not served: of its .* only")
                assert await listed(client) == []
                file.write(made[len(made) // 2 :])
            await asyncio.to_thread(program.wait_for, "found 1 model: tiny-7b$")
            await asyncio.to_thread(program.wait_for, "configuration reloaded")
            assert await listed(client) == ["tiny-7b"]
            answer = await client.post("/v1/chat/completions", json={**BODY, "model": "tiny-7b"}, timeout=LONG)
            assert answer.status_code == 200, answer.text
            assert answer.json()["usage"]["completion_tokens"] == 4
            (folder / "Tiny-7B-Q4_K_M.gguf").unlink()
            before = program.said
            answer = await client.post("/v1/chat/completions", json={**BODY, "model": "tiny-7b"}, timeout=LONG)
            assert answer.status_code == 200, answer.text
            await client.post("/api/models/unload")
            await asyncio.to_thread(program.wait_for, "no longer there: tiny-7b", before)
            await asyncio.to_thread(program.wait_for, "configuration reloaded", before)
            assert await listed(client) == []


async def test_without_a_configuration_what_is_found_is_served(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    aged(Tiny().write(tmp_path / "models" / "one-Q8_0.gguf"))
    (tmp_path / "more").mkdir()
    aged(Tiny().write(tmp_path / "more" / "two.gguf"))
    (tmp_path / "flagged").mkdir()
    aged(Tiny().write(tmp_path / "flagged" / "three.gguf"))
    cached = tmp_path / "hub" / "models--org--four-GGUF" / "snapshots" / "abc"
    cached.mkdir(parents=True)
    aged(Tiny().write(cached / "four-Q4_0.gguf"))
    blob = tmp_path / "ollama" / "blobs" / "sha256-1"
    blob.parent.mkdir(parents=True)
    aged(Tiny().write(blob))
    manifest = tmp_path / "ollama" / "manifests" / "registry.ollama.ai" / "library" / "five" / "latest"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:1"}
    manifest.write_text(json.dumps({"layers": [layer]}))
    env = {
        **os.environ,
        **ENGINE,
        "PYTHONPATH": str(ROOT),
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "OLLAMA_MODELS": str(tmp_path / "ollama"),
        "LLAMASWAP_MODELS": str(tmp_path / "more"),
    }
    with Program(tmp_path, None, f"--models-dir={tmp_path / 'flagged'}", env=env) as program:
        async with caller(program) as client:
            assert set(await listed(client)) >= {"one", "two", "three", "four", "five"}
            answer = await client.post(
                "/v1/chat/completions", json={**BODY, "model": "org/four-GGUF:Q4_0"}, timeout=LONG
            )
            assert answer.status_code == 200, answer.text


def aged(path: Path) -> None:
    """It was not written to a moment ago."""
    os.utime(path, (1_700_000_000, 1_700_000_000))
