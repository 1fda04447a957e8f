"""The page's build: what it looks at, how a new page replaces the old one, and what it says where it cannot work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llamaswap_py.ui import building
from tests.page.built import built_page


def files(folder: Path, **content: str) -> Path:
    for name, text in content.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def checkout(tmp_path: Path) -> Path:
    """The sources as they are committed, in a folder of their own."""
    made = shutil.ignore_patterns("node_modules", "built", ".work", "__pycache__")
    return Path(shutil.copytree(building.HERE, tmp_path / "ui", ignore=made))


def program(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "building.py")]
    environ = {**os.environ, **env}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)


def test_a_new_page_takes_the_place_of_the_old_one_and_leaves_nothing_of_it(tmp_path: Path) -> None:
    old = files(tmp_path / "old", index_html="old", assets__a1_js="1", assets__both_css="1")
    new = files(tmp_path / "new", index_html="new", assets__a2_js="2", assets__both_css="2")
    building.put(new, old)
    assert names(old) == ["assets/a2.js", "assets/both.css", "index.html"]
    assert (old / "index.html").read_text() == "new"


def test_a_machine_without_node_and_registry_is_told_what_to_do(tmp_path: Path) -> None:
    folder = checkout(tmp_path)
    done = program(folder, PATH=str(tmp_path), PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert done.returncode == 1
    assert "Node.js could not be fetched" in done.stdout
    assert building.REMEDY in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_where_only_the_built_page_was_installed_nothing_is_done(tmp_path: Path) -> None:
    alone = tmp_path / "ui"
    alone.mkdir()
    shutil.copy(building.__file__, alone)
    done = program(alone, PATH=str(tmp_path))
    assert (done.returncode, done.stdout, names(alone)) == (0, "", ["building.py"])


def test_a_change_of_a_source_is_noticed_and_of_a_test_is_not(tmp_path: Path) -> None:
    folder = checkout(tmp_path)
    say = "import building as b; print(b.digest(b.sources()))"

    def digest() -> str:
        return subprocess.run(
            [sys.executable, "-c", say], cwd=folder, capture_output=True, text=True, check=True
        ).stdout

    before = digest()
    (folder / "src" / "lib" / "more.test.ts").write_text("// a test")
    assert digest() == before
    with (folder / "src" / "app.css").open("a") as file:
        file.write("/* another look */")
    assert digest() != before


@pytest.mark.parametrize("said", ["v18.20.1", "v20.18.3", "nonsense"])
def test_a_node_that_is_too_old_is_none(said: str, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {said}\n")
    node.chmod(0o755)
    assert not building.new_enough(node)


def test_the_built_page_names_no_other_host_and_is_small_at_first() -> None:
    """What a first visit loads before anything is opened: the index, and what it names."""
    built_page()
    index = (building.BUILT / "index.html").read_text()
    named = [part for part in names(building.BUILT) if part in index]
    sent = [building.BUILT / f"{part}.br" for part in [*named, "index.html"]]
    assert sum(path.stat().st_size for path in sent if path.is_file()) < 150_000
    assert "http" not in index
    assert len(named) >= 3


def test_the_built_page_has_the_notices_of_its_libraries() -> None:
    built_page()
    notices = (building.BUILT / "licences.txt").read_text()
    assert "svelte" in notices
    assert "Permission is hereby granted" in notices


def test_what_is_built_is_up_to_date() -> None:
    built_page()
    assert building.is_current()
