"""Which configuration the words name, for the commands that read one."""

from __future__ import annotations

from pathlib import Path

from llamaswap_py.cli.terminal.flags import Flag, Words

DEFAULT_CONFIG = "config.yaml"

MODELS_DIR = Flag("models-dir", "serve the GGUF files of this folder too; may be given more than once", "DIR")
FLAGS = (
    Flag("config", "the configuration, a YAML file", "FILE"),
    Flag("config-dir", "a folder whose *.yml and *.yaml files are merged, and added to --config", "DIR"),
    MODELS_DIR,
)


def config_named(words: Words) -> str | None:
    """The file that was named, or the current folder's where nothing else was named."""
    if words.value("config") or words.value("config-dir"):
        return words.value("config")
    return DEFAULT_CONFIG if Path(DEFAULT_CONFIG).exists() else None
