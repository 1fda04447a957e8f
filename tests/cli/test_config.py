"""`llamaswap config`: shown as understood, compared, described for editors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llamaswap_py.__main__ import main
from llamaswap_py.config.read import Source, read

Output = pytest.CaptureFixture[str]
OLD = """
apiKeys: [sk-hunter2]
macros: {dir: /models}
models:
  small: {cmd: "serve --port ${PORT} ${dir}/small.gguf", aliases: [tiny], ttl: 5}
  other: {cmd: "serve --port ${PORT} --api-key sk-hunter2"}
  gone: {cmd: "serve ${PORT}"}
"""
NEW = """
apiKeys: [sk-hunter2]
logLevel: debug
models:
  small: {cmd: "serve --port ${PORT} /models/small.gguf", aliases: [tiny, little], ttl: 6}
  other: {cmd: "serve --port ${PORT} --api-key sk-hunter2", env: [A=1]}
  fresh: {cmd: "serve ${PORT}"}
"""


@pytest.fixture
def old(tmp_path: Path) -> str:
    path = tmp_path / "old.yaml"
    path.write_text(OLD)
    return str(path)


@pytest.fixture
def new(tmp_path: Path) -> str:
    path = tmp_path / "new.yaml"
    path.write_text(NEW)
    return str(path)


def test_what_is_shown_with_secrets_is_the_same_configuration(old: str, capsys: Output) -> None:
    assert main(["config", "show", "--secrets", "--config", old]) == 0
    assert read([Source("f", capsys.readouterr().out)], {}).config == read([Source("f", OLD)], {}).config


@pytest.mark.parametrize("form", [[], ["--json"], ["small"], ["other", "--json"]])
def test_secrets_are_shown_to_who_asks_only(old: str, capsys: Output, form: list[str]) -> None:
    assert main(["config", "show", f"--config={old}", *form]) == 0
    assert "hunter2" not in capsys.readouterr().out
    assert main(["config", "show", f"--config={old}", *form, "--secrets"]) == 0
    assert ("hunter2" in capsys.readouterr().out) == (form != ["small"])


def test_values_for_programs_are_json(old: str, capsys: Output) -> None:
    assert main(["config", "show", "--json", "-config", old]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["models"]["small"]["cmd"] == ["serve", "--port", "5802", "/models/small.gguf"]
    assert shown["resolves"]["tiny"] == "small"


def test_one_model_is_shown_by_any_of_its_names(old: str, capsys: Output) -> None:
    assert main(["config", "show", "tiny", "--json", "-config", old]) == 0
    assert json.loads(capsys.readouterr().out)["aliases"] == ["tiny"]
    assert main(["config", "show", "small", "-config", old]) == 0
    text = capsys.readouterr().out
    assert text.startswith("models:\n  small:\n")
    assert "other" not in text


def test_a_model_that_is_not_there_is_told_with_those_that_look_alike(old: str, capsys: Output) -> None:
    assert main(["config", "show", "smal", "-config", old]) == 1
    assert capsys.readouterr().err == "There is no model 'smal'. Did you mean small?\n"
    assert main(["config", "show", "zzzzz", "-config", old]) == 1
    assert capsys.readouterr().err == "There is no model 'zzzzz'.\n"


def test_a_difference_says_what_a_running_server_would_do(old: str, new: str, capsys: Output) -> None:
    assert main(["config", "diff", old, new]) == 3
    assert capsys.readouterr().out.splitlines() == [
        "added      fresh",
        "removed    gone",
        "restarted  other  (env)",
        "retuned    small  (ttl, aliases)",
        "setting    logLevel",
    ]


def test_files_that_say_the_same_do_not_differ(old: str, capsys: Output) -> None:
    assert main(["config", "diff", old, old]) == 0
    assert capsys.readouterr().out == "Nothing differs.\n"


def test_a_file_that_is_wrong_is_told_as_by_check(old: str, tmp_path: Path, capsys: Output) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("globalTTL: -1\n")
    for words in (["diff", old, str(wrong)], ["show", "--config", str(wrong)]):
        assert main(["config", *words]) == 1
        assert f"{wrong}:1:12: globalTTL:" in capsys.readouterr().err


def test_without_a_file_the_folders_own_is_shown(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HF_HUB_CACHE", "OLLAMA_MODELS"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    assert main(["config", "show"]) == 0
    assert "discover:\n- models\n- huggingface\n- ollama\n" in capsys.readouterr().out
    Path("config.yaml").write_text("models: {m: {cmd: '${PORT}'}}\n")
    assert main(["config", "show"]) == 0
    assert "  m:\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [[], ["nope"], ["show", "a", "b"], ["diff", "a"], ["diff", "a", "b", "c"], ["schema", "x"]]
)
def test_words_that_fit_nothing_print_the_usage(words: list[str], capsys: Output) -> None:
    assert main(["config", *words]) == 2
    assert "usage: llamaswap config" in capsys.readouterr().err


def test_the_schema_is_the_one_that_is_shipped(capsys: Output) -> None:
    assert main(["config", "schema"]) == 0
    shipped = Path(__file__).parents[2] / "docs" / "config-schema.json"
    assert capsys.readouterr().out == shipped.read_text("utf-8"), "llamaswap config schema > docs/config-schema.json"
