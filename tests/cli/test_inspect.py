"""`llamaswap inspect`: what a GGUF file is, or in one sentence why it is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamaswap_py.__main__ import main
from llamaswap_py.cli.inspect import in_thousands, size
from tests.fakes.tiny_gguf import Tiny, write_header

Output = pytest.CaptureFixture[str]
LLAMA: dict[str, Any] = {
    "general.name": "Big One",
    "llama.context_length": 10000,
    "llama.block_count": 2,
    "llama.embedding_length": 64,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
}


def parts(folder: Path) -> list[Path]:
    """One tensor of 2 x 32 in the first file, two in the second."""
    paths = [folder / f"big-{number:05}-of-00002.gguf" for number in (1, 2)]
    write_header(paths[0], "llama", {**LLAMA, "split.no": 0, "split.count": 2}, ["a"])
    write_header(paths[1], "llama", {"split.no": 1, "split.count": 2}, ["b", "c"])
    return paths


def test_a_file_is_summed_up_with_its_memory_by_length(tmp_path: Path, capsys: Output) -> None:
    path = Tiny(context=10000).write(tmp_path / "tiny.gguf")
    assert main(["inspect", str(path)]) == 0
    text, _, rows = capsys.readouterr().out.partition("\n\n")
    about = {line[:14].strip(): line[14:] for line in text.splitlines()}
    assert about["name"] == "tiny"
    assert about["purpose"] == "text"
    assert about["quantisation"] == "F16"
    assert about["attention"] == "4 heads, 2 of keys and values"
    assert about["trained for"] == "10000 tokens"
    assert about["chat template"] == "yes"
    assert "pooling" not in about
    lines = rows.splitlines()
    assert lines[0].split() == ["CONTEXT", "CACHE", "WITH", "WEIGHTS"]
    # 2 layers x 2 heads x 16 numbers x keys and values x 2 bytes for each token: 256 bytes
    assert [line.split()[:3] for line in lines[1:]] == [
        ["4096", "1.0", "MiB"],
        ["8192", "2.0", "MiB"],
        ["10000", "2.5", "MiB"],
    ]
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize("named", [0, 1])
def test_a_split_model_is_one_whichever_part_is_named(tmp_path: Path, capsys: Output, named: int) -> None:
    paths = parts(tmp_path)
    assert main(["inspect", "--json", str(paths[named])]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["files"] == [str(path) for path in paths]
    assert about["name"] == "Big One"
    assert about["parameters"] == 3 * 64
    assert about["weights"] == 3 * 64 * 4
    assert about["split_count"] == 2
    assert about["bytes"] == sum(path.stat().st_size for path in paths)
    assert [row["context"] for row in about["contexts"]] == [4096, 8192, 10000]
    assert all(row["total"] == row["cache"] + about["weights"] for row in about["contexts"])


def test_a_split_model_says_of_how_many_files_it_is(tmp_path: Path, capsys: Output) -> None:
    assert main(["inspect", str(parts(tmp_path)[0])]) == 0
    assert ", 2 files\n" in capsys.readouterr().out


def test_a_missing_part_is_named(tmp_path: Path, capsys: Output) -> None:
    first, second = parts(tmp_path)
    second.unlink()
    assert main(["inspect", str(first)]) == 1
    assert f"the model has 2 files, and {second.name} is not there." in capsys.readouterr().err


def test_the_type_of_the_cache_is_counted(tmp_path: Path, capsys: Output) -> None:
    path = write_header(tmp_path / "a.gguf", "llama", LLAMA, ["a"])
    sizes = []
    for more in ([], ["--cache-type-k", "q8_0", "--cache-type-v=q8_0"]):
        assert main(["inspect", "--json", str(path), *more]) == 0
        sizes.append(json.loads(capsys.readouterr().out)["contexts"][0]["cache"])
    assert sizes[1] * 32 == sizes[0] * 17  # 34 bytes instead of 64 for 32 numbers


def test_a_projector_has_no_context(tmp_path: Path, capsys: Output) -> None:
    path = write_header(tmp_path / "mmproj.gguf", "clip", {"general.type": "mmproj"}, ["a"])
    assert main(["inspect", str(path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("name          mmproj\npurpose       projector\n")
    assert "CONTEXT" not in said


def test_what_is_no_gguf_file_says_so(tmp_path: Path, capsys: Output) -> None:
    page = tmp_path / "page.gguf"
    page.write_text("<html>")
    assert main(["inspect", str(page)]) == 1
    assert capsys.readouterr().err == f"{page}: this is no GGUF file: it begins with b'<htm'.\n"


@pytest.mark.parametrize("name", ["nowhere.gguf", "nowhere-00001-of-00002.gguf", "nowhere-00001-of-00000.gguf"])
def test_what_is_not_there_says_so(tmp_path: Path, capsys: Output, name: str) -> None:
    assert main(["inspect", str(tmp_path / name)]) == 1
    assert "it cannot be read: No such file or directory." in capsys.readouterr().err


@pytest.mark.parametrize(("left", "said"), [(30, "ends within its header"), (-1, "Is it still being copied?")])
def test_a_file_that_is_still_being_copied_says_so(tmp_path: Path, capsys: Output, left: int, said: str) -> None:
    path = write_header(tmp_path / "a.gguf", "llama", LLAMA, ["a"])
    needed = path.stat().st_size - path.stat().st_size % 32  # what follows is padding
    path.write_bytes(path.read_bytes()[: left if left > 0 else needed - 1])
    assert main(["inspect", str(path)]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["a", "b"], ["a", "--cache-type-k", "q3"]])
def test_other_words_are_misspelt(capsys: Output, words: list[str]) -> None:
    assert main(["inspect", *words]) == 2
    assert "usage: llamaswap inspect" in capsys.readouterr().err


def test_sizes_and_counts_are_short() -> None:
    assert [size(number) for number in (5, 2048, 3 << 20, 5 << 30)] == ["5 B", "2.0 KiB", "3.0 MiB", "5.00 GiB"]
    counts = (7, 1500, 22_000_000, 7_241_732_096)
    assert [in_thousands(count) for count in counts] == ["7", "1.5 thousand", "22 million", "7.242 billion"]
