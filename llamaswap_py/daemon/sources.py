"""The configuration's files: which there are, their texts, and whether they may have changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from llamaswap_py.config.read import Reading, Source, read
from llamaswap_py.errors import ConfigError, Mistake

ENDINGS = (".yml", ".yaml")

# What `stat` says of each file; equal looks mean that nothing was saved in between.
Look = tuple[tuple[str, int, int, int], ...]


class Sources:
    def __init__(self, config: str | None, config_dir: str | None) -> None:
        self.config = os.path.abspath(config) if config else None
        self.config_dir = os.path.abspath(config_dir) if config_dir else None

    def paths(self) -> list[str]:
        """The named file first, then the folder's in byte order."""
        named = [self.config] if self.config else []
        if self.config_dir is None:
            return named
        try:
            entries = sorted(os.listdir(self.config_dir), key=os.fsencode)
        except OSError as error:
            raise unreadable(self.config_dir, error) from error
        found = [os.path.join(self.config_dir, name) for name in entries if name.endswith(ENDINGS)]
        files = [path for path in found if os.path.isfile(path)]
        if self.config in files:
            raise one_mistake(
                str(self.config),
                f"the file is also in the folder {self.config_dir}",
                "Remove it from one of --config and --config-dir.",
            )
        if not named and not files:
            raise one_mistake(self.config_dir, "no .yaml or .yml file is in this folder", "Put one there.")
        return named + files

    def texts(self) -> list[Source]:
        return [Source(path, read_text(path)) for path in self.paths()]

    def read(self, env: Mapping[str, str]) -> Reading:
        return read(self.texts(), env)

    def look(self) -> Look:
        """A cheap look at what is on disk; a file that is missing just now is left out."""
        try:
            paths = self.paths()
        except ConfigError:
            return ()
        rows = []
        for path in paths:
            try:
                status = os.stat(path)
            except OSError:
                continue
            rows.append((path, status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(rows)

    def folders(self) -> list[str]:
        """Where a change would show: the folders of the names and of the files that they lead to."""
        named = [self.config] if self.config else []
        folders = {os.path.dirname(path) for name in named for path in (name, os.path.realpath(name))}
        if self.config_dir is not None:
            folders |= {self.config_dir, os.path.realpath(self.config_dir)}
        return sorted(folder for folder in folders if os.path.isdir(folder))


def read_text(path: str) -> str:
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        mistake = Mistake(path, line, 1, "", "the file is not UTF-8 text", "Save it as UTF-8.")
        raise ConfigError([mistake]) from error


def unreadable(path: str, error: OSError) -> ConfigError:
    return one_mistake(path, f"it cannot be read: {error.strerror}", "Name a file that exists and may be read.")


def one_mistake(path: str, message: str, remedy: str) -> ConfigError:
    return ConfigError([Mistake(path, 0, 0, "", message, remedy)])
