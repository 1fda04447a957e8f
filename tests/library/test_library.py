"""Sixty files on three shelves: exactly these models, and exactly this left out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llamaswap_py.config.read import Source, read
from llamaswap_py.library.entries import discovered
from llamaswap_py.library.files import Discovery, Found
from tests.library.tree import LONG_AGO, NOW, TEMPLATE, Machine, full

Q = "Qwen2.5-7B-Instruct"

# id -> its file, and the other names it answers to
MODELS = {
    "bge-reranker-v2-m3": ("models/bge-reranker-v2-m3-Q8_0.gguf", {"bge-reranker-v2-m3-Q8_0"}),
    "gemma-3-4b-it": ("models/gemma-3-4b-it-GGUF/gemma-3-4b-it-Q4_K_M.gguf", {"gemma-3-4b-it-Q4_K_M"}),
    "gemma-3-4b-it-q8_0": ("models/gemma-3-4b-it-GGUF/gemma-3-4b-it-Q8_0.gguf", {"gemma-3-4b-it-Q8_0"}),
    "glm": (
        "hub/models--unsloth--GLM-GGUF/snapshots/aaa/Q4_K_M/GLM-Q4_K_M-00001-of-00002.gguf",
        {"GLM-Q4_K_M", "unsloth/GLM-GGUF:Q4_K_M"},
    ),
    "gpt-oss-120b": ("models/gpt-oss-120b-mxfp4/gpt-oss-120b-mxfp4-00001-of-00003.gguf", {"gpt-oss-120b-mxfp4"}),
    "hf.co/someone/GGUF:Q4": ("ollama/blobs", set()),
    "llama-3.2-1b-instruct": (
        "hub/models--bartowski--Llama-3.2-1B-Instruct-GGUF/snapshots/new/Llama-3.2-1B-Instruct-Q4_K_M.gguf",
        {"Llama-3.2-1B-Instruct-Q4_K_M", "bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M"},
    ),
    "llama-3.2-3b-instruct": (
        "models/Llama-3.2-3B-Instruct-GGUF/ggml-model-Q4_K_M.gguf",
        {"Llama-3.2-3B-Instruct-Q4_K_M"},
    ),
    "llama-3.2-3b-instruct-q8_0": (
        "models/Llama-3.2-3B-Instruct-GGUF/Q8_0/ggml-model-Q8_0.gguf",
        {"Llama-3.2-3B-Instruct-Q8_0"},
    ),
    "llama3.2:3b": ("ollama/blobs", {"llama3.2", "llama3.2:latest"}),
    "llava:7b": ("ollama/blobs", set()),
    "mistral-7b-instruct-v0.3": ("models/Mistral 7B Instruct v0.3.fp16.gguf", {"Mistral 7B Instruct v0.3.fp16"}),
    "nomic-embed-text-v1.5": ("models/nomic-embed-text-v1.5.Q8_0.gguf", {"nomic-embed-text-v1.5.Q8_0"}),
    "phi-4-mini-instruct": ("models/phi-4-mini-instruct/model.gguf", set()),
    "qwen2.5-7b-instruct": (f"models/{Q}-Q4_K_M.gguf", {f"{Q}-Q4_K_M"}),
    "qwen2.5-7b-instruct-q8_0": (f"models/{Q}-Q8_0.gguf", {f"{Q}-Q8_0"}),
    "qwen2.5-omni-3b": (
        "models/Qwen2.5-Omni-3B-GGUF/Q4_K_M/Qwen2.5-Omni-3B-Q4_K_M.gguf",
        {"Qwen2.5-Omni-3B-Q4_K_M"},
    ),
    "qwen3-235b": (
        "models/Qwen3-235B-GGUF/UD-Q4_K_XL/Qwen3-235B-UD-Q4_K_XL-00001-of-00004.gguf",
        {"Qwen3-235B-UD-Q4_K_XL"},
    ),
    "qwen3-235b-q8_0": ("models/Qwen3-235B-GGUF/Q8_0/Qwen3-235B-Q8_0-00001-of-00005.gguf", {"Qwen3-235B-Q8_0"}),
    "qwen3-embedding-0.6b": ("models/Qwen3-Embedding-0.6B-Q8_0.gguf", {"Qwen3-Embedding-0.6B-Q8_0"}),
    "smolvlm-500m-instruct": ("models/SmolVLM-500M-Instruct-Q8_0.gguf", {"SmolVLM-500M-Instruct-Q8_0"}),
    "tinyllama": ("models/tinyllama.gguf", {"favourite"}),
    "tinyllama-q4_k_m": (
        "hub/models--someone--TinyLlama-GGUF/snapshots/aaa/tinyllama.gguf",
        {"someone/TinyLlama-GGUF:Q4_K_M"},
    ),
    "upper": ("models/UPPER.GGUF", {"UPPER", "hard"}),
}
MANIFESTS = "ollama/manifests/registry.ollama.ai/library"
LEFT_OUT = {
    "models/broken.gguf": "the header is broken",
    "models/deepseek-r1-Q4_K_M-00001-of-00003.gguf": "and deepseek-r1-Q4_K_M-00002-of-00003.gguf is not there",
    "models/empty.gguf": "still on its way",
    "models/flux1-dev-Q4_0.gguf": "no language model",
    "models/half-header.gguf": "still on its way",
    "models/half-tensors.gguf": "of its 992 bytes only 892 are there",
    "models/imatrix.gguf": "it holds no model",
    "models/just-copied.gguf": "it was written to a moment ago",
    "models/mmproj-of-nobody.gguf": "which model it belongs to cannot be told",
    "models/my-lora.gguf": "it is an adapter",
    "models/nowhere.gguf": "the link leads nowhere",
    "models/page.gguf": "it begins with b'<!DO'",
    f"{MANIFESTS}/gone/latest": "is not there",
    f"{MANIFESTS}/odd/latest": "this is no manifest of Ollama's",
    f"{MANIFESTS}/safe/latest": "its model is not in one GGUF file",
}
EYES = {
    "gemma-3-4b-it": "mmproj-model-f16.gguf",
    "gemma-3-4b-it-q8_0": "mmproj-model-f16.gguf",
    "qwen2.5-omni-3b": "mmproj-Qwen2.5-Omni-3B-f16.gguf",
    "smolvlm-500m-instruct": "mmproj-SmolVLM-500M-Instruct-f16.gguf",
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return full(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def found(machine: Machine) -> Discovery:
    return machine.look()


def model(found: Discovery, name: str) -> Found:
    return next(each for each in found.models if each.id == name)


def test_these_models_are_found_under_these_names(machine: Machine, found: Discovery) -> None:
    assert [each.id for each in found.models] == sorted(MODELS)
    for each in found.models:
        path, aliases = MODELS[each.id]
        assert str(Path(each.path).relative_to(machine.root)).startswith(path)
        full_name = {each.id} | {name for name in each.aliases if name.startswith(f"{each.id}-")}
        assert set(each.aliases) - full_name == aliases - full_name


def test_what_is_left_out_is_told_with_its_reason(machine: Machine, found: Discovery) -> None:
    told = machine.told(found)
    assert sorted(told) == sorted(LEFT_OUT)
    assert [path for path, why in LEFT_OUT.items() if why not in told[path]] == []
    assert found.unfinished


def test_each_model_has_its_own_eyes(found: Discovery) -> None:
    told = {each.id: Path(each.projector).name for each in found.models if each.projector}
    assert told.pop("llava:7b").startswith("sha256-")
    assert told == EYES
    assert model(found, "qwen2.5-omni-3b").senses == ("image", "audio")


def test_a_split_model_is_as_large_as_its_files(machine: Machine, found: Discovery) -> None:
    parts = (machine.models / "gpt-oss-120b-mxfp4").iterdir()
    assert model(found, "gpt-oss-120b").size == sum(part.stat().st_size for part in parts)


def test_the_models_make_a_configuration_without_a_word(machine: Machine, found: Discovery) -> None:
    """Through the ordinary reader, so that macros and defaults hold; flags follow from the headers."""
    text = "macros: {llama_server: our-server}\nglobalTTL: 60\n"
    reading = read([Source("config.yaml", text)], {}, discovered=discovered(found.models))
    assert reading.warnings == ()
    models = reading.config.models
    assert list(models) == sorted(MODELS)
    assert {each.ttl for each in models.values()} == {60}
    first = models["qwen2.5-7b-instruct"]
    path = machine.models / f"{Q}-Q4_K_M.gguf"
    assert first.cmd == f"our-server --model {path} --alias {first.id} --port ${{PORT}}\n--ctx-size 8192 --jinja"
    assert first.capabilities.tools
    assert models["nomic-embed-text-v1.5"].cmd.endswith("--batch-size 8192 --ubatch-size 8192 --embeddings")
    assert models["qwen3-embedding-0.6b"].cmd.endswith("--embeddings --pooling last")
    reranker = models["bge-reranker-v2-m3"]
    assert reranker.cmd.endswith("--reranking")
    assert (reranker.capabilities.reranker, reranker.capabilities.context) == (True, 8192)
    assert f"--mmproj {machine.models}/mmproj-SmolVLM" in models["smolvlm-500m-instruct"].cmd
    assert models["smolvlm-500m-instruct"].capabilities.inputs == ("text", "image")
    assert "'" in models["mistral-7b-instruct-v0.3"].cmd
    assert reading.config.discovered["upper"] == str(machine.models / "UPPER.GGUF")


def test_a_second_look_finds_the_same_and_reads_no_header(machine: Machine, found: Discovery) -> None:
    cards = machine.library.headers.known
    assert machine.look(found) == found
    assert all(machine.library.headers.known[path][1] is card for path, (_, card) in cards.items())


# ------------------------------------------------------------- as time passes


@pytest.fixture
def small(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


def ids(found: Discovery) -> list[str]:
    return [each.id for each in found.models]


def test_a_later_quantisation_takes_nobodys_name(small: Machine) -> None:
    """Not while the program runs, though its file be older, and not at the next start."""
    small.model("a-Q8_0.gguf")
    first = small.look()
    small.aged(small.model("a-Q4_K_M.gguf"), LONG_AGO - 10)
    second = small.look(first)
    assert {each.id: Path(each.path).name for each in second.models} == {
        "a": "a-Q8_0.gguf",
        "a-q4_k_m": "a-Q4_K_M.gguf",
    }
    small.aged(small.models / "a-Q4_K_M.gguf", LONG_AGO + 99)
    assert small.look().models[0].path == second.models[0].path


def test_who_is_left_answers_to_the_short_name(small: Machine) -> None:
    small.model("a-Q8_0.gguf")
    small.model("a-Q4_K_M.gguf")
    first = small.look()
    (small.models / "a-Q8_0.gguf").unlink()
    (left,) = small.look(first).models
    assert (left.id, "a" in left.aliases) == ("a-q4_k_m", True)
    (left,) = small.look().models
    assert (left.id, "a-q4_k_m" in left.aliases) == ("a", True)


def test_a_copy_is_served_when_it_is_complete_and_quiet(small: Machine) -> None:
    path = small.model("a.gguf")
    whole = path.read_bytes()
    discovery = small.look()
    for size in (0, 3, 500, len(whole) - 1):
        path.write_bytes(whole[:size])
        small.aged(path, NOW)
        discovery = small.look()
        assert (ids(discovery), discovery.unfinished) == ([], True)
    path.write_bytes(whole)
    small.aged(path, NOW)
    assert ids(small.look()) == []
    assert ids(small.look(now=NOW + 4)) == ["a"]


def test_what_vanishes_goes_unless_it_runs(small: Machine) -> None:
    path = small.model("a.gguf")
    first = small.look()
    path.unlink()
    kept = small.look(first, in_use=("a",))
    assert kept.models == first.models
    assert ids(small.look(kept)) == []


def test_a_running_models_id_is_not_given_to_another_file(small: Machine) -> None:
    path = small.model("a-Q8_0.gguf")
    first = small.look()
    path.rename(path.with_name("a-Q4_0.gguf"))
    assert ids(small.look(first, in_use=("a",))) == ["a", "a-q4_0"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the rights of folders do not hold here")
def test_a_folder_that_cannot_be_read_takes_nothing_away(small: Machine) -> None:
    small.model("locked/a.gguf")
    first = small.look()
    (small.models / "locked").chmod(0)
    try:
        second = small.look(first)
    finally:
        (small.models / "locked").chmod(0o700)
    assert second.models == first.models
    assert [left.why for left in second.left_out] == ["it cannot be read: Permission denied"]


def test_a_path_that_no_command_can_hold_is_left_out(small: Machine) -> None:
    for name in ("a${PORT}.gguf", "a\nb.gguf", os.fsdecode(b"a\xff.gguf")):
        small.model(name)
    found = small.look()
    assert ids(found) == []
    assert {left.why for left in found.left_out} == {"its path cannot be written into a command"}


def test_two_of_one_name_and_quantisation_are_told_apart(small: Machine) -> None:
    small.model("one/a-Q4_0.gguf")
    small.model("two/a-Q4_0.gguf", entries={"tokenizer.chat_template": TEMPLATE})
    small.model("three/a-Q4_0.gguf")
    small.model("three/sub/a-Q4_0.gguf")
    small.cached("org/a-GGUF", "a-Q4_0.gguf")
    assert ids(small.look()) == ["a", "a-q4_0", "org/a-q4_0", "sub/a-q4_0", "three/a-q4_0"]
