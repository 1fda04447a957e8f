"""Which configuration the words name, for the commands that read one."""

from __future__ import annotations

from pathlib import Path

from llamaswap_py.cli.terminal.flags import Flag, Words

DEFAULT_CONFIG = "config.yaml"

FLAGS = (
    Flag("config", "the configuration, a YAML file", "FILE"),
    Flag("config-dir", "a folder whose *.yml and *.yaml files are merged, and added to --config", "DIR"),
)

NONE = f"""at least one of -config or -config-dir must be provided
There is no {DEFAULT_CONFIG} in this folder either. Write one that names a model, for example

  models:
    my-model:
      cmd: llama-server --port ${{PORT}} --model /path/to/my-model.gguf

and start again here, or with: llamaswap --config /path/to/{DEFAULT_CONFIG}"""


def config_named(words: Words) -> str | None:
    """The file that was named, or the current folder's where nothing else was named."""
    if words.value("config") or words.value("config-dir"):
        return words.value("config")
    return DEFAULT_CONFIG if Path(DEFAULT_CONFIG).exists() else None
