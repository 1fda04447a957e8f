"""Downloads go where models are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from llamaswap_py.daemon.downloads import models_folder
from llamaswap_py.daemon.sources import Sources


@pytest.mark.parametrize(
    ("text", "flags", "variable", "folder"),
    [
        ("models: {}\n", [], "", "/conf/models"),
        ("discover: [ollama, huggingface, a, b]\n", [], "", "/conf/a"),
        ("discover: [a]\n", [], ":/env:/more", "/env"),
        ("discover: [a]\n", ["/flag", "/other"], "/env", "/flag"),
    ],
)
def test_the_first_folder_named_is_taken(
    tmp_path: Path, text: str, flags: Sequence[str], variable: str, folder: str
) -> None:
    (tmp_path / "config.yaml").write_text(text)
    sources = Sources(str(tmp_path / "config.yaml"), None, flags)
    config = sources.read({}).config
    assert str(models_folder(sources, config, {"LLAMASWAP_MODELS": variable})) == folder.replace("/conf", str(tmp_path))


def test_without_a_configuration_it_is_models_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sources = Sources(None, None)
    assert models_folder(sources, sources.read({}).config, {}) == tmp_path / "models"
