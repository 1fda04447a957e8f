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
DEFAULT_NAME = "config.yaml"  # of the current folder: found by a start without flags

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
        self.config: Path | None = Path(config).absolute() if config else None
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
        self.filled = self.not_emptied(sources)
        reading = read(sources, env, lenient, builtin_macros(env), self.discovered)
        self.last = sources
        return reading

    def not_emptied(self, sources: Sequence[Source]) -> set[str]:
        """Those that have something in them. An editor that truncates before it writes must not unload every model."""
        filled = {source.path for source in sources if source.text.strip()}
        for source in sources:
            emptied = source.path in self.filled or Path(source.path) == self.config
            if emptied and source.path not in filled:
                raise mistaken(
                    Path(source.path), "the file is empty", "Write at least one model into it, or remove it."
                )
        return filled

    def again(self, env: Mapping[str, str]) -> Reading:
        """What was read last with what is discovered now: files that were edited since wait for their reload."""
        return read(self.last, env, True, builtin_macros(env), self.discovered)

    def texts(self, env: Mapping[str, str]) -> list[Source]:
        if self.config is None and self.config_dir is None:
            return [Source(str(Path.cwd() / NO_FILE), self.proposed().text)]
        return [Source(str(path), read_text(path)) for path in self.paths()]

    def shelves(self, env: Mapping[str, str]) -> tuple[Shelf, ...]:
        """Where to look for models: what the files say, then what flags and the environment add. Raises ConfigError."""
        words = [*self.models_dirs, *env.get(VARIABLE, "").split(os.pathsep)]
        elsewhere = [Shelf(str(Path(word).expanduser().absolute()), "") for word in words if word.strip()]
        written = shelves_in(self.texts(env), env, builtin_macros(env))
        return tuple(dict.fromkeys([*written, *elsewhere]))

    def trial(self, env: Mapping[str, str], text: str | None, path: Path | None = None) -> Reading:
        """What a reload would read if this text stood in that file, by default the named one; without a text, what it
        would read now."""
        path = path or self.config
        if text is None:
            sources = self.texts(env)
        elif path is None:
            sources = [Source("the request", text)]
        else:
            sources = [Source(str(each), text if each == path else read_text(each)) for each in self.paths_with(path)]
            self.not_emptied(sources)
        return read(sources, env, True, builtin_macros(env), self.discovered)

    def paths_with(self, path: Path) -> list[Path]:
        paths = self.paths()
        if path in paths:
            return paths
        named = [each for each in paths if each == self.config]
        return named + sorted([*(each for each in paths if each not in named), path], key=os.fsencode)

    def place(self, name: str) -> Path | None:
        """Of a file that is one of them, or may become one: in the folder, or where none was named."""
        path = Path(name)
        if not path.is_absolute():
            path = (self.config_dir or Path.cwd()) / path
        if path == self.config or (
            self.config is None and self.config_dir is None and str(path) == self.proposed().path
        ):
            return path
        fits = path.parent == self.config_dir and path.suffix in ENDINGS and not path.name.startswith(".")
        return path if fits else None

    def proposed(self) -> Source:
        """What is served where no file was named, as the file that the next start would find."""
        return Source(str(Path.cwd() / DEFAULT_NAME), WITHOUT_FILE + (DEMO if DEMO_MODEL.exists() else ""))

    def adopt(self, path: Path) -> None:
        """It was written where no file was named."""
        if self.config is None and self.config_dir is None:
            self.config = path

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
