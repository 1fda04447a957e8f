"""Where downloads go: to the folder in which models are looked for, so that what was pulled is served."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from llamaswap_py.config.values import Config
from llamaswap_py.daemon.sources import VARIABLE, Sources
from llamaswap_py.library.library import HUGGINGFACE, OLLAMA, folder_of


def models_folder(sources: Sources, config: Config, env: Mapping[str, str]) -> Path:
    """The first of --models-dir, $LLAMASWAP_MODELS and `discover`; else `models` beside the configuration."""
    words = [*sources.models_dirs, *env.get(VARIABLE, "").split(os.pathsep)]
    named = [Path(word).expanduser().absolute() for word in words if word.strip()]
    found = [folder_of(shelf) for shelf in config.discover if shelf.word not in (HUGGINGFACE, OLLAMA)]
    beside = sources.config.parent if sources.config else Path.cwd()
    return [*named, *found, beside / "models"][0]
