"""The configuration's files: which there are, their texts, and whether they may have changed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from llamaswap_py.config.read import Discovered, Reading, Source, read, shelves_in
from llamaswap_py.config.values import NO_FILE, Shelf
from llamaswap_py.daemon.builtin import DEMO_MODEL, builtin_macros
from llamaswap_py.errors import ConfigError, Mistake

ENDINGS = (".yml", ".yaml")
VARIABLE = "LLAMASWAP_MODELS"

# What is served where no file is named.
WITHOUT_FILE = "discover: [models, huggingface, ollama]\n"
DEMO = """\
models:
  demo:
    cmd: |
      ${llama_server} --model ${demo_model} --alias ${MODEL_ID} --port ${PORT}
      --ctx-size 4096 --parallel 2 --temp 0 --threads 1
    name: Demonstration
"""

# What `stat` says of each file; equal looks mean that nothing was saved in between.
Look = tuple[tuple[str, int, int, int], ...]


class Sources:
    def __init__(self, config: str | None, config_dir: str | None, models_dirs: Sequence[str] = ()) -> None:
        self.config = Path(config).absolute() if config else None
        self.config_dir = Path(config_dir).absolute() if config_dir else None
        self.models_dirs = tuple(models_dirs)
        self.discovered: tuple[Discovered, ...] = ()  # whoever finds models puts them here
        self.filled: set[str] = set()  # the files that had something in them when last read
        self.last: list[Source] = []  # what was read last

    def paths(self) -> list[Path]:
        """The named file first, then the folder's in byte order."""
        named = [] if self.config is None else [self.config]
        if self.config_dir is None:
            return named
        try:
            entries = sorted(self.config_dir.iterdir(), key=os.fsencode)
        except OSError as error:
            raise unreadable(self.config_dir, error) from error
        files = [path for path in entries if path.suffix in ENDINGS and path.is_file()]
        if self.config is not None and self.config in files:
            raise mistaken(
                self.config,
                f"the file is also in the folder {self.config_dir}",
                "Remove it from one of --config and --config-dir.",
            )
        if not named and not files:
            raise mistaken(self.config_dir, "no .yaml or .yml file is in this folder", "Put one there.")
        return named + files

    def read(self, env: Mapping[str, str], lenient: bool = False) -> Reading:
        """If `lenient`, a model that is wrong disables only itself."""
        sources = self.texts(env)
        filled = {source.path for source in sources if source.text.strip()}
        for source in sources:
            # An editor that truncates before it writes must not unload every model.
            emptied = source.path in self.filled or Path(source.path) == self.config
            if emptied and source.path not in filled:
                raise mistaken(
                    Path(source.path), "the file is empty", "Write at least one model into it, or remove it."
                )
        self.filled = filled
        reading = read(sources, env, lenient, builtin_macros(env), self.discovered)
        self.last = sources
        return reading

    def again(self, env: Mapping[str, str]) -> Reading:
        """What was read last with what is discovered now: files that were edited since wait for their reload."""
        return read(self.last, env, True, builtin_macros(env), self.discovered)

    def texts(self, env: Mapping[str, str]) -> list[Source]:
        if self.config is None and self.config_dir is None:
            text = WITHOUT_FILE + (DEMO if DEMO_MODEL.exists() else "")
            return [Source(str(Path.cwd() / NO_FILE), text)]
        return [Source(str(path), read_text(path)) for path in self.paths()]

    def shelves(self, env: Mapping[str, str]) -> tuple[Shelf, ...]:
        """Where to look for models: what the files say, then what flags and the environment add. Raises ConfigError."""
        words = [*self.models_dirs, *env.get(VARIABLE, "").split(os.pathsep)]
        elsewhere = [Shelf(str(Path(word).expanduser().absolute()), "") for word in words if word.strip()]
        written = shelves_in(self.texts(env), env, builtin_macros(env))
        return tuple(dict.fromkeys([*written, *elsewhere]))

    def trial(self, env: Mapping[str, str], text: str | None) -> Reading:
        """What a reload would read if this text stood in the named file; without one, what it would read now."""
        paths = self.paths()
        if text is None:
            sources = self.texts(env)
        elif self.config is None:
            sources = [Source("the request", text)]
        else:
            sources = [Source(str(path), text if path == self.config else read_text(path)) for path in paths]
        return read(sources, env, True, builtin_macros(env), self.discovered)

    def look(self) -> Look:
        """A cheap look at what is on disk; a file that is missing just now is left out."""
        try:
            paths = self.paths()
        except ConfigError:
            return ()
        rows = []
        for path in paths:
            try:
                status = path.stat()
            except OSError:
                continue
            rows.append((str(path), status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(rows)

    def folders(self) -> list[Path]:
        """Where a change would show: the folders of the names and of the files that they lead to."""
        folders = set()
        if self.config is not None:
            folders |= {self.config.parent, self.config.resolve().parent}
        if self.config_dir is not None:
            folders |= {self.config_dir, self.config_dir.resolve()}
        return sorted(folder for folder in folders if folder.is_dir())


def read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        mistake = Mistake(str(path), line, 1, "", "the file is not UTF-8 text", "Save it as UTF-8.")
        raise ConfigError([mistake]) from error


def unreadable(path: Path, error: OSError) -> ConfigError:
    return mistaken(path, f"it cannot be read: {error.strerror}", "Name a file that exists and may be read.")


def mistaken(path: Path, message: str, remedy: str) -> ConfigError:
    return ConfigError([Mistake(str(path), 0, 0, "", message, remedy)])
