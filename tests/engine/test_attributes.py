"""Our own table reads a command as llama.cpp does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llamaswap_py.engine import native
from llamaswap_py.engine.attributes import SETTINGS, Unknown, apply
from llamaswap_py.engine.flags import LOAD_SWITCHES, REMOVED

engine = pytest.importorskip("xllamacpp", reason="the engine's library is not installed on this platform")

COMMANDS = (
    "-m a.gguf --port 99 --host 127.0.0.1,::1 -a one,two --api-key k1 --api-key k2 --api-prefix /x -to 7",
    "-m a.gguf -c 99 -n 5 -b 64 -ub 32 --keep 3 -np 2 -kvu -nocb --no-context-shift --no-cache-prompt --cache-reuse 16",
    "-m a.gguf --metrics --props --no-slots --no-ui --sleep-idle-seconds 9 --sse-ping-interval 4 -sps 0.5",
    "-m a.gguf --embeddings --pooling mean --embd-normalize 1 --swa-full -t 3 -tb 2 --threads-http 4",
    "-m a.gguf -ngl 12 -mg 1 -sm row -fa on -ctk q8_0 -ctv q4_0 -nkvo -lm mmap+mlock --no-warmup --check-tensors",
    "-m a.gguf -fa off -lm dio -ngl all --no-jinja --rope-freq-base 500000 --rope-freq-scale 0.5 -cram 99",
    "-m a.gguf --mmproj p.gguf --no-mmproj -md d.gguf --spec-draft-n-max 5 --spec-draft-n-min 1 --draft-p-min 0.5",
    '-m a.gguf --chat-template chatml --chat-template-kwargs {"a":true,"b":"x"} -lv 2',
    "-m a.gguf -s 5 --temp 0.5 --top-k 3 --top-p 0.4 --min-p 0.2 --repeat-last-n 9 --repeat-penalty 1.5 --ignore-eos",
    "-m a.gguf --presence-penalty 0.25 --frequency-penalty 0.75 --reranking",
)
PATHS = sorted({setting.path for setting in SETTINGS.values()} | {"timeout_write", "embedding", "pooling_type"})


def look(params: Any, path: str) -> Any:
    for name in path.split("."):
        params = getattr(params, name)
    return params


def by_table(*words: str) -> Any:
    params = engine.CommonParams()
    apply(engine, params, words)
    return params


@pytest.mark.parametrize("command", COMMANDS)
def test_the_table_reads_a_command_as_llama_cpp_does(command: str) -> None:
    parse = native.find(engine)
    if parse is None:
        pytest.skip("llama.cpp's own parser cannot be reached on this platform")
    theirs = engine.CommonParams()
    assert parse(theirs, ["llama-server", *command.split()])
    ours = by_table(*command.split())
    # Where no number of threads is given, theirs is filled in with what the machine has; the server does it for ours.
    paths = [path for path in PATHS if not path.endswith("n_threads") or "-tb" in command]
    assert {path: look(ours, path) for path in paths} == {path: look(theirs, path) for path in paths}


def test_every_flag_of_the_table_is_one_of_llama_cpps(tmp_path: Path) -> None:
    parse = native.find(engine)
    if parse is None:
        pytest.skip("llama.cpp's own parser cannot be reached on this platform")
    used = {word for command in COMMANDS for word in command.split()}
    (tmp_path / "text").write_text("secret")
    values = {str: "text", int: "1", float: "1"}
    for name, setting in SETTINGS.items():
        if name not in used and setting.read in (None, *values):
            value = [values[setting.read]] if setting.read in values else []
            assert parse(engine.CommonParams(), ["llama-server", "-m", "a.gguf", name, *value]), name
    assert not {*REMOVED, *LOAD_SWITCHES}.intersection(SETTINGS)


def test_files_are_read_for_keys_and_templates(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("one\ntwo\n")
    params = by_table("--api-key-file", str(path), "--chat-template-file", str(path))
    assert params.api_keys == ["one", "two"]
    assert params.chat_template == "one\ntwo\n"


@pytest.mark.parametrize(
    "command", ["--nonsense", "--port", "--port abc", "-ctk q99", "--api-key-file /nowhere", "-m x stray"]
)
def test_what_cannot_be_read_is_said(command: str) -> None:
    with pytest.raises(Unknown, match="error: "):
        by_table(*command.split())
