"""The cache that Hugging Face's tools share: one folder a repository, its revisions as links to the files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from llamaswap_py.library.files import File
from llamaswap_py.library.folders import Walk

PREFIX = "models--"


def folder(env: Mapping[str, str]) -> Path:
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if env.get(variable):
            return Path(env[variable]).expanduser()
    if env.get("HF_HOME"):
        return Path(env["HF_HOME"]).expanduser() / "hub"
    cache = env.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "huggingface" / "hub"


def look(hub: Path, walk: Walk) -> None:
    for entry in walk.read(str(hub)):
        if entry.name.startswith(PREFIX) and entry.is_dir():
            repository(Path(entry.path), entry.name.removeprefix(PREFIX).replace("--", "/"), walk, str(hub))


def repository(path: Path, name: str, walk: Walk, hub: str) -> None:
    """The newest revision first: of a file that an older one has too, that one is not wanted."""
    current = main_revision(path)
    revisions = [Path(entry.path) for entry in walk.read(str(path / "snapshots")) if entry.is_dir()]
    revisions.sort(key=lambda each: (each.name == current, modified(each)), reverse=True)
    seen: set[tuple[str, ...]] = set()
    for revision in revisions:
        before = len(walk.files)
        walk.tree(str(revision), (hub, name))
        added = walk.files[before:]
        walk.files[before:] = [file for file in added if key(file) not in seen]
        seen |= {key(file) for file in added}


def key(file: File) -> tuple[str, ...]:
    """Where in the repository it stands."""
    return (*file.folder, Path(file.path).name)


def main_revision(path: Path) -> str:
    try:
        return (path / "refs" / "main").read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""


def modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
