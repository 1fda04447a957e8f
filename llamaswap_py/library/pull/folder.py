"""Where a repository's files go: a folder of their own, which nothing in a name leads out of."""

from __future__ import annotations

import shutil
from pathlib import Path

from llamaswap_py.library.pull.choice import amount
from llamaswap_py.library.pull.disk import disk
from llamaswap_py.library.pull.troubles import PullFailed, Trouble

MARK = ".pulled-from"  # names the repository: two owners may give their repositories one name
SPARE = 64 * 1024 * 1024  # bytes to leave: a disk filled to the last one breaks what else lives on it


def folder_for(repo: str, models: Path) -> Path:
    """`models/name`, or `models/name--owner` where another owner's files are in that one. It is made and marked."""
    owner, _, name = repo.rpartition("/")
    folder = models / name
    with disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if marked(folder) not in ("", repo):
            folder = models / f"{name}--{owner or 'hub'}"
            folder.mkdir(exist_ok=True)
        if not marked(folder):
            (folder / MARK).write_text(f"{repo}\n", "utf-8")
    return folder


def marked(folder: Path) -> str:
    try:
        return (folder / MARK).read_text("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""


def place_of(path: str, folder: Path) -> Path:
    """The file's place, its folders made. A link that leads elsewhere is not followed."""
    target = folder.joinpath(*path.split("/"))
    with disk(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        inside = target.parent.resolve().is_relative_to(folder.resolve())
    if not inside:
        raise PullFailed(Trouble.UNSAFE_NAME, f"{target.parent} leads out of {folder}; {path} is not put there.")
    if target.is_dir():
        raise PullFailed(Trouble.DISK, f"{target} is a folder; move it away.")
    return target


def check_room(folder: Path, missing: int) -> None:
    with disk(folder):
        free = shutil.disk_usage(folder).free
    if missing and missing + SPARE > free:
        raise PullFailed(
            Trouble.DISK_FULL,
            f"{amount(missing)} are still to come, and the disk of {folder} has {amount(free)} free. Make room, choose"
            " a smaller quantisation (--quant), or another disk (--dir).",
        )
