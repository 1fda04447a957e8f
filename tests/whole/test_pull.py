"""`llamaswap pull` as a person runs it: killed at any point it goes on where it was, and two of them share the work."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.hub import FakeHub, Mood, Repo
from tests.library.pull.pulls import LONG, MODEL, REPO, gguf, hub_of, left_in
from tests.whole.program import ROOT

SIZE = 1_000_000


def start(hub: FakeHub, models: Path, *words: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "llamaswap_py", "pull", *words],
        cwd=ROOT,
        env={
            **os.environ,
            "HF_ENDPOINT": hub.url,
            "LLAMASWAP_MODELS": str(models),
            "HF_HOME": str(models / "hf"),
            **env,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(hub: FakeHub, models: Path, *words: str, **env: str) -> tuple[int, str, str]:
    with start(hub, models, *words, **env) as process:
        out, err = process.communicate(timeout=2 * LONG)
    return process.returncode, out, err


def events(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_killed_at_ten_random_points_it_goes_on_and_the_file_is_right(tmp_path: Path) -> None:
    points = sorted(random.Random(7).sample(range(1, SIZE), 10))
    with hub_of(SIZE) as hub:
        for before, point in zip([0, *points], points, strict=False):
            kill_at(hub, tmp_path, before, point)
            assert left_in(tmp_path) == set()
        assert run(hub, tmp_path, REPO)[0] == 0
        assert (tmp_path / "Tiny-GGUF" / MODEL).read_bytes() == gguf(SIZE)
        assert hub.sent[MODEL] == SIZE
    assert left_in(tmp_path) == {MODEL}


def kill_at(hub: FakeHub, models: Path, before: int, point: int) -> None:
    hub.paused.clear()
    hub.released.clear()
    hub.moods[MODEL].append(Mood(pause_after=point - before, stop_after=point - before))
    with start(hub, models, REPO, "--json") as process:
        assert hub.paused.wait(LONG)
        part = next((models / "Tiny-GGUF").glob(".*.part"))
        while part.stat().st_size < point:  # what was sent has come
            assert process.poll() is None
        process.kill()
        process.communicate()
    hub.released.set()


def test_two_processes_share_one_transfer(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub:
        hub.moods[MODEL].append(Mood(pause_after=500_000))
        first = start(hub, tmp_path, REPO, "--json")
        assert hub.paused.wait(LONG)
        second = start(hub, tmp_path, REPO, "--json")
        assert second.stdout is not None
        assert any("loaded by another pull" in line for line in second.stdout)
        hub.released.set()
        ends = [events(process.communicate(timeout=LONG)[0])[-1] for process in (first, second)]
        assert [end["event"] for end in ends] == ["done", "done"]
        assert hub.sent[MODEL] == SIZE


def test_whoever_reads_the_progress_and_goes_away_ends_it(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub:
        hub.moods[MODEL].append(Mood(pause_after=500_000))
        with start(hub, tmp_path, REPO, "--json") as process:
            assert hub.paused.wait(LONG)
            assert process.stdout is not None
            process.stdout.close()
            process.wait(LONG)


def test_the_progress_is_told_line_by_line_with_speed_and_time(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub:
        hub.moods[MODEL].append(Mood(pause_after=500_000))
        with start(hub, tmp_path, REPO, "--json") as process:
            assert process.stdout is not None
            seen = [json.loads(process.stdout.readline())]
            while seen[-1].get("done") != 500_000:
                seen.append(json.loads(process.stdout.readline()))
            hub.released.set()
            seen += events(process.communicate(timeout=LONG)[0])
    assert seen[-1]["event"] == "done"
    assert seen[-1]["files"] == [str(tmp_path / "Tiny-GGUF" / MODEL)]
    chosen = next(each for each in seen if each["event"] == "chosen")
    assert chosen["files"] == [[MODEL, SIZE]]


def test_a_person_without_a_terminal_gets_lines(tmp_path: Path) -> None:
    with hub_of(SIZE) as hub:
        status, out, err = run(hub, tmp_path, REPO, "--quant", "q4_k_m")
    assert (status, err) == (0, "")
    assert "one file" in out
    assert "checksums right" in out
    assert "\033" not in out


def test_a_failure_is_on_standard_error_with_status_1(tmp_path: Path) -> None:
    with FakeHub({REPO: Repo({MODEL: gguf(100)})}) as hub:
        status, out, err = run(hub, tmp_path, "acme/Tinny-GGUF")
    assert (status, out) == (1, "")
    assert REPO in err


def test_a_token_from_the_environment_opens_a_gated_repository(tmp_path: Path) -> None:
    with FakeHub({REPO: Repo({MODEL: gguf(100)}, gated=True)}) as hub:
        assert run(hub, tmp_path, REPO)[0] == 1
        assert run(hub, tmp_path, REPO, HF_TOKEN=hub.token)[0] == 0


@pytest.mark.parametrize("words", [(), ("a", "b"), ("no name",), (REPO, "--wrong")])
def test_what_is_misspelt_is_status_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    with FakeHub({}) as hub:
        status, out, err = run(hub, tmp_path, *words)
    assert (status, out) == (2, "")
    assert err
