"""`${llama_server}`: named by a variable, else found on PATH, else ours. `${demo_model}`: the file."""

from __future__ import annotations

import shlex
from pathlib import Path

from llamaswap_py.config.values import Config
from llamaswap_py.daemon.builtin import DEMO_MODEL, llama_server
from llamaswap_py.daemon.sources import Sources


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_what_the_variable_names_goes_before_everything(tmp_path: Path) -> None:
    on_path = program(tmp_path / "bin" / "llama-server")
    env = {"PATH": str(on_path.parent), "LLAMA_SERVER": "docker run llama"}
    assert llama_server(env).command == "docker run llama"
    assert llama_server(env).found == "in $LLAMA_SERVER"
    with_spaces = program(tmp_path / "my builds" / "server")
    assert llama_server({**env, "LLAMA_SERVER": str(with_spaces)}).command == f"'{with_spaces}'"


def test_the_one_on_path_goes_before_ours(tmp_path: Path) -> None:
    on_path = program(tmp_path / "bin" / "llama-server")
    for env in ({"PATH": str(on_path.parent)}, {"PATH": str(on_path.parent), "LLAMA_SERVER": " "}):
        assert llama_server(env).command == str(on_path)
        assert llama_server(env).found == "on PATH"


def test_without_any_it_is_the_one_that_comes_with_us(tmp_path: Path) -> None:
    found = llama_server({"PATH": str(tmp_path)}, python="/a python/bin/python")
    assert found.command == "'/a python/bin/python' -m llamaswap_py engine"
    assert found.found == "included"


def read(folder: Path, text: str) -> Config:
    path = folder / "config.yaml"
    path.write_text(text)
    return Sources(str(path), None).read({"LLAMA_SERVER": "found-server"}).config


MODELS = "models:\n  one:\n    cmd: ${llama_server} -m x.gguf --port ${PORT}\n"


def test_it_needs_no_declaration_and_may_be_used_by_macros(tmp_path: Path) -> None:
    assert read(tmp_path, MODELS).models["one"].cmd.startswith("found-server -m x.gguf")
    text = 'macros:\n  fast: "${llama_server} -fa on"\nmodels:\n  one:\n    cmd: ${fast} --port ${PORT}\n'
    assert read(tmp_path, text).models["one"].cmd.startswith("found-server -fa on")


def test_a_macro_of_that_name_in_the_file_wins_wherever_it_stands(tmp_path: Path) -> None:
    own = 'macros:\n  bin: /opt\n  llama_server: "${bin}/mine"\n'
    assert read(tmp_path, own + MODELS).models["one"].cmd.startswith("/opt/mine -m")
    in_model = MODELS + "    macros:\n      llama_server: of-the-model\n"
    assert read(tmp_path, in_model).models["one"].cmd.startswith("of-the-model -m")


def test_the_demonstration_model_is_a_small_file_that_comes_along(tmp_path: Path) -> None:
    text = "models:\n  demo:\n    cmd: server -m ${demo_model} --port ${PORT}\n"
    assert shlex.split(read(tmp_path, text).models["demo"].cmd)[2] == str(DEMO_MODEL)
    assert DEMO_MODEL.read_bytes()[:4] == b"GGUF"
    assert DEMO_MODEL.stat().st_size <= 4_000_000
