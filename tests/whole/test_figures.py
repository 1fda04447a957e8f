"""What the records say agrees with what the engine says: tokens, speeds, and how long it loaded.

`LLAMASWAP_TEST_FIGURES=200` asks so many questions; a few are asked where nothing is said."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.tiny_gguf import Tiny
from tests.whole.asking import caller
from tests.whole.program import Program, config

pytest.importorskip("xllamacpp", reason="the engine's library is not installed on this platform")

INCLUDED = {"PATH": str(Path(sys.executable).parent), "LLAMA_SERVER": ""}  # no llama-server on PATH, and none named
QUESTIONS = int(os.environ.get("LLAMASWAP_TEST_FIGURES", "40"))
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("figures")
    Tiny().write(folder / "one.gguf")
    text = f"  one:\n    cmd: ${{llama_server}} -m {folder}/one.gguf --port ${{PORT}} -c 2048 --metrics\n"
    with Program(folder, config(text), env={**os.environ, **INCLUDED}) as started:
        yield started


def said(client: httpx.Client, number: int) -> dict[str, Any]:
    """The engine's own figures: its last event's, or its answer's."""
    stream = number % 2 == 0
    body = {
        "model": "one",
        "messages": [{"role": "user", "content": "Hello " * (1 + number % 7)}],
        "max_tokens": 3 + number % 20,
        "ignore_eos": True,
        "stream": stream,
    }
    answer = client.post(CHAT, json={**body, **({"stream_options": {"include_usage": True}} if stream else {})})
    text = answer.raise_for_status().text
    if not stream:
        return dict(json.loads(text))
    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: {")]
    return {name: event[name] for event in events for name in ("usage", "timings") if event.get(name)}


def test_rows_agree_with_the_engine(program: Program) -> None:
    with caller(program) as client:
        told = [said(client, number) for number in range(QUESTIONS)]
        rows = client.get("/api/metrics/activity", params={"limit": 999, "order": "asc"}).json()["data"]
        metrics = client.get("/metrics").text
    assert len(rows) == QUESTIONS
    for row, figures in zip(rows, told, strict=True):
        tokens, usage, timings = row["tokens"], figures["usage"], figures["timings"]
        asked = tokens["input_tokens"] + max(tokens["cache_tokens"], 0)  # llama.cpp tells apart what it had already
        assert (asked, tokens["output_tokens"]) == (usage["prompt_tokens"], usage["completion_tokens"])
        assert tokens["tokens_per_second"] == pytest.approx(timings["predicted_per_second"], rel=0.02)
        assert tokens["prompt_per_second"] == pytest.approx(timings["prompt_per_second"], rel=0.02)
    total = sum(figures["usage"]["completion_tokens"] for figures in told)
    assert f'llamaswap_tokens_total{{kind="output",model="one"}} {float(total)}' in metrics
    assert sums(metrics, r'llamacpp:tokens_predicted_total\{model="one"\}') == total
    loads(program, rows, metrics)


def loads(program: Program, rows: list[dict[str, Any]], metrics: str) -> None:
    """One waited for the load, and for as long as the log and the histogram say."""
    [loaded] = [row for row in rows if row["details"]["loading_ms"] > 0]
    assert loaded is rows[0]
    logged = re.search(r"ready after ([\d.]+) s", program.wait_for("one: ready after"))
    assert logged is not None
    assert loaded["details"]["loading_ms"] == pytest.approx(1000 * float(logged[1]), abs=20)
    assert sums(metrics, r'llamaswap_model_load_seconds_sum\{model="one"\}') == pytest.approx(
        float(logged[1]), abs=0.02
    )


def sums(metrics: str, pattern: str) -> float:
    found = re.search(rf"^{pattern} (\S+)$", metrics, re.MULTILINE)
    assert found is not None, pattern
    return float(found[1])
