"""Each reason why llama.cpp cannot begin has its sentence."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from llamaswap_py.engine.refused import UNKNOWN, of_address, of_model, reason
from tests.fakes.tiny_gguf import Tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Tiny().write(tmp_path_factory.mktemp("model") / "tiny.gguf")


def test_nothing_is_said_against_what_can_be_used(model: Path) -> None:
    assert of_model(model) == ""
    assert of_address(["127.0.0.1", "/tmp/x.sock"], 0) == ""
    assert reason(str(model), ["127.0.0.1"], 0) == UNKNOWN


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<html>", "cannot be used: this is no GGUF file: it begins with b'<htm'."),
        (b"", "cannot be used: "),
        (b"GGUF\x01\0\0\0" + bytes(100), "cannot be used: the file is of version 1"),
    ],
)
def test_what_is_no_model_is_called_so(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    assert f"{path} {sentence}" in of_model(path)


@pytest.mark.parametrize("part", [0.5, 0.999])
def test_a_file_that_is_cut_off_is_called_so(model: Path, tmp_path: Path, part: float) -> None:
    whole = model.read_bytes()
    path = tmp_path / "x.gguf"
    path.write_bytes(whole[: int(part * len(whole))])
    assert f"of {len(whole)} bytes {int(part * len(whole))} are there" in of_model(path)


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert "No such file" in of_model(tmp_path / "none.gguf")
    assert of_model(tmp_path).startswith(f"the model file {tmp_path} cannot be read: ")


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1, port {port}: " in of_address(["127.0.0.1"], port)
