"""`llamaswap bench` against what it is for: bare files, our server, any other; and what it keeps."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llamaswap_py.server.shapes.benchmarks import Benchmarks, BenchmarkSession
from tests.fakes.requantised import requantised
from tests.page.test_types import fits
from tests.whole.asking import caller, pids
from tests.whole.following import follow
from tests.whole.program import LONG, ROOT, Program, config, model

DEMO = ROOT / "llamaswap_py" / "demo" / "demo.gguf"
CLOSE = 0.02  # between what was measured and what the engine says
PACE = "--token-interval 0.05"  # an answer of a moment can come in one piece, and tells no speed then
TRIES = 5  # a machine that does something else for a moment is no disagreement


def bench(folder: Path, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llamaswap_py", "bench", *words, f"--state-dir={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=4 * LONG, check=False, env=env, cwd=ROOT)
    assert "Traceback" not in done.stderr
    return done


def results(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    return found


def agrees(cell: dict[str, Any]) -> bool:
    return abs(float(cell["speed"]) / float(cell["engine_speed"]) - 1) < CLOSE


def test_two_quantisations_are_compared_and_the_rates_are_the_engines(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="the engine's library is not installed on this platform")
    other = requantised(DEMO, tmp_path / "demo-F16.gguf", "F16")
    words = [f"--gguf={DEMO}", f"--gguf={other}", "--prompt=64", "--concurrency=1", "--tokens=400", "--repeat=3"]
    q8: dict[str, Any] = {}
    f16, cells, tries, agreed = q8, list[dict[str, Any]](), 0, [False, False]
    while tries < TRIES and not all(agreed):
        q8, f16 = results(bench(tmp_path, *words, "--flags=--threads 1", "--json"))
        cells, tries = q8["cells"] + f16["cells"], tries + 1
        agreed = [before or agrees(cell) for before, cell in zip(agreed, cells, strict=True)]
    assert all(agreed), [(cell["speed"], cell["engine_speed"]) for cell in cells]
    assert [(each["name"], each["about"]) for each in (q8, f16)] == [("demo", "Q8_0"), ("demo-F16", "F16")]
    assert all(cell["answers"] == 3 and cell["output"] == 400 and cell["prompt_by_engine"] for cell in cells)
    assert all(0.8 < cell["prompt"] / cell["wanted"] < 1.25 for cell in cells)
    assert f16["size"] > q8["size"] > 0
    assert all(each["warm"] > 0 and each["memory"] > each["size"] for each in (q8, f16))
    if sys.platform == "linux":
        assert all(each["cold"] > 0 for each in (q8, f16))
    [report] = sorted((tmp_path / "benchmarks").glob("*.html"))[-1:]
    assert "demo-F16" in report.read_text("utf-8")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(
        tmp_path_factory.mktemp("bench"),
        config(model("a", PACE), model("b", PACE)),
    ) as started:
        yield started


def test_models_of_our_server_with_progress_and_the_last_time(program: Program, tmp_path: Path) -> None:
    """It loads and unloads; its memory is seen; the second run is compared with the first."""
    first = bench(tmp_path, "a", "b", f"--url={program.url}", "--quick")
    assert first.returncode == 0, first.stderr
    assert "a: warm load" in first.stderr
    assert "b: prompt of 512, 1 at once (1 of 2 done)" in first.stderr
    second = bench(tmp_path, "a", f"--url={program.url}", "--quick", "--no-load", f"--html={tmp_path / 'r.html'}")
    assert [line.endswith(" %") for line in second.stdout.splitlines()[-2:]] == [True, True], second.stdout
    assert "against last" in (tmp_path / "r.html").read_text("utf-8")
    assert "a" in pids(program)
    listed = bench(tmp_path, "list").stdout
    assert [line.split()[1] for line in listed.splitlines()[1:]] == ["a,", "a"]
    kept = results(bench(tmp_path, "show", "last", "--json"))
    assert (kept[0]["name"], kept[0]["cold"], kept[0]["memory"] > 0) == ("a", None, True)
    assert len(json.loads(bench(tmp_path, "list", "--json").stdout)) == 2


def test_any_server_that_speaks_openai(program: Program, tmp_path: Path) -> None:
    """One that is not ours says nothing of loads; its only model need not be named; its address may end in /v1."""
    with caller(program) as client:
        client.post("/api/models/load/a").raise_for_status()  # what only asks of it does not load it
    [found] = results(bench(tmp_path, f"--url={program.url}/upstream/a/v1", "--quick", "--json"))
    assert (found["name"], found["cold"], found["warm"], found["memory"]) == ("a", None, None, None)
    assert all(cell["speed"] > 0 and cell["first"] > 0 for cell in found["cells"]), found["cells"]


def test_what_cannot_be_measured_says_why(program: Program, tmp_path: Path) -> None:
    url = f"--url={program.url}"
    wrong = {
        ("nobody", url, "--quick"): "answered 404: there is no model 'nobody' here",
        ("nobody", url, "--quick", "--no-load"): "nobody",
        (url, "--quick"): "Name the models to measure, or a file with --gguf. There are: a, b.",
        ("a", url, "--prompt=many"): "--prompt takes whole numbers",
        ("a", "--url=http://127.0.0.1:9"): "no server at http://127.0.0.1:9 (Connect",
        ("--url=http://127.0.0.1:9",): "no server at http://127.0.0.1:9 (Connect",
        ("show", "never"): "Name a benchmark that is kept",
        (f"--gguf={ROOT / 'README.md'}",): "README.md",
        (f"--gguf={DEMO}", "--prompt=9000"): "context of 2048",
    }
    for words, said in wrong.items():
        done = bench(tmp_path, *words)
        assert (done.returncode, said in done.stdout + done.stderr) == (1, True), (words, done)
    assert bench(tmp_path, "list").stdout == "Nothing was measured yet.\n"


def test_a_page_orders_one_follows_it_and_reads_its_report(tmp_path: Path) -> None:
    text = "apiKeys: [a-long-key]\n" + config(model("a", "--token-interval 0.003", aliases="[other]"))
    order = {"models": ["other"], "prompt": 16, "concurrency": [1, 2], "tokens": 8, "repeat": 1}
    key = {"Authorization": "Bearer a-long-key"}
    with Program(tmp_path, text) as program, caller(program, "a-long-key") as client, follow(program, **key) as page:
        row = client.post("/api/benchmarks", json=order).raise_for_status().json()
        assert (row["models"], row["error"]) == (["a"], "")
        assert page.until("benchmark", lambda data: data["of"] == 2).data["state"] == "running"
        over = page.until("benchmark", lambda data: data["state"] in ("done", "failed")).data
        assert (over["state"], over["error"]) == ("done", "")
        figures = client.get(f"/api/benchmarks/{over['session']}").raise_for_status().json()
        assert fits(BenchmarkSession, figures)
        assert [cell["callers"] for cell in figures["results"][0]["cells"]] == [1, 2]
        report = client.get(f"/api/benchmarks/{over['session']}/report").raise_for_status()
        assert "Benchmark of a" in report.text
        assert report.headers["Content-Security-Policy"].startswith("default-src 'none'")
        told = client.get("/api/benchmarks").json()
        assert fits(Benchmarks, told)
        assert [each["id"] for each in told["kept"]] == [over["session"]]
        assert client.get(f"/api/benchmarks/{row['id']}").json()["state"] == "done"
        for name in (row["id"], over["session"]):
            assert client.delete(f"/api/benchmarks/{name}").json()["state"] == "removed"
            assert client.delete(f"/api/benchmarks/{name}").status_code == 404
        assert client.get("/api/benchmarks").json() == {"orders": [], "kept": []}


def test_an_order_is_cancelled_and_a_wrong_one_refused(tmp_path: Path) -> None:
    with Program(tmp_path, config(model("a", "--first-seconds 3600"))) as program, caller(program) as client:
        ids = [client.post("/api/benchmarks", json={"models": ["a"]}).json()["id"] for _ in "ab"]
        states = [client.get(f"/api/benchmarks/{name}").json()["state"] for name in ids]
        assert states[1] == "waiting"
        for name in ids:
            assert client.delete(f"/api/benchmarks/{name}").json()["state"] == "cancelled"
        assert client.post("/api/benchmarks", json={"models": ["nobody"]}).status_code == 404
        for wrong in ("{}", '{"models": []}', '{"models": ["a"], "prompt": 0}', '{"models": ["a"], "x": 1}', "["):
            assert client.post("/api/benchmarks", content=wrong).status_code == 400, wrong
