"""Which files the configuration is, and what is said where one cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llamaswap_py.daemon.sources import Sources
from llamaswap_py.errors import ConfigError

MODELS = "models:\n  {0}:\n    cmd: run {0}\n    proxy: http://localhost:1\n"


def sources(config: Path | None = None, folder: Path | None = None) -> Sources:
    return Sources(str(config) if config else None, str(folder) if folder else None)


def mistake(found: Sources) -> str:
    with pytest.raises(ConfigError) as caught:
        found.read({})
    (only,) = caught.value.mistakes
    assert only.remedy
    return str(only)


def test_the_named_file_comes_first_and_the_folders_follow_in_byte_order(tmp_path: Path) -> None:
    named = tmp_path / "named.yaml"
    named.write_text(MODELS.format("n"))
    folder = tmp_path / "more"
    folder.mkdir()
    for name in ("b.yml", "B.yaml", "a.yaml", "no.txt"):
        (folder / name).write_text(MODELS.format(name))
    (folder / "deeper.yaml").mkdir()
    found = sources(named, folder)
    assert [path.name for path in found.paths()] == ["named.yaml", "B.yaml", "a.yaml", "b.yml"]
    assert sorted(found.read({}).config.models) == ["B.yaml", "a.yaml", "b.yml", "n"]


def test_a_missing_file_an_empty_one_and_a_folder_are_named(tmp_path: Path) -> None:
    assert "No such file" in mistake(sources(tmp_path / "absent.yaml"))
    assert "directory" in mistake(sources(tmp_path))
    (tmp_path / "empty.yaml").write_text(" \n")
    assert "the file is empty" in mistake(sources(tmp_path / "empty.yaml"))
    assert "No such file" in mistake(sources(folder=tmp_path / "absent"))


def test_a_folder_without_yaml_is_a_mistake(tmp_path: Path) -> None:
    assert "no .yaml or .yml file" in mistake(sources(folder=tmp_path))


def test_a_file_named_twice_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MODELS.format("a"))
    assert "also in the folder" in mistake(sources(tmp_path / "a.yaml", tmp_path))


def test_a_file_in_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"models: {}\n# \xe9t\xe9\n")
    assert "latin.yaml:2:" in mistake(sources(tmp_path / "latin.yaml"))


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + MODELS.format("a").encode())
    assert list(sources(tmp_path / "bom.yaml").read({}).config.models) == ["a"]


@pytest.mark.fault("F8")
def test_every_way_of_saving_shows_in_a_look(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("1")
    found = sources(path)
    looks = [found.look()]
    path.write_text("12")
    looks.append(found.look())
    fresh = tmp_path / "fresh"
    fresh.write_text("12")
    os.utime(fresh, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns))
    fresh.replace(path)
    looks.append(found.look())
    path.unlink()
    looks.append(found.look())
    assert len(set(looks)) == 4
    assert looks[-1] == ()
    assert sources(folder=tmp_path / "absent").look() == ()


def test_the_folders_to_watch_are_those_of_the_names_and_of_what_they_lead_to(tmp_path: Path) -> None:
    real = tmp_path / "data"
    real.mkdir()
    (real / "a.yaml").write_text("x")
    link = tmp_path / "a.yaml"
    link.symlink_to(real / "a.yaml")
    assert sources(link).folders() == sorted([tmp_path, real])
    assert sources(folder=real).folders() == [real]
    assert sources(folder=tmp_path / "absent").folders() == []


@pytest.mark.fault("R85")
def test_a_file_that_loses_its_text_is_a_mistake_until_it_is_removed(tmp_path: Path) -> None:
    """An editor that truncates before it writes must not unload what the file describes."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(MODELS.format(name))
    (tmp_path / "c.yaml").write_text("")
    found = sources(folder=tmp_path)
    assert sorted(found.read({}).config.models) == ["a", "b"]
    (tmp_path / "b.yaml").write_text("\n")
    assert "b.yaml" in mistake(found)
    assert "b.yaml" in mistake(found)
    (tmp_path / "b.yaml").unlink()
    assert sorted(found.read({}).config.models) == ["a"]


def test_a_text_can_be_tried_in_the_place_of_the_named_file(tmp_path: Path) -> None:
    """The other files are read as they are; nothing is kept of it."""
    path, folder = tmp_path / "config.yaml", tmp_path / "more"
    folder.mkdir()
    path.write_text("models: {a: {cmd: 'run ${PORT}'}}")
    (folder / "b.yaml").write_text("models: {b: {cmd: 'run ${PORT}'}}")
    sources = Sources(str(path), str(folder))
    assert set(sources.trial({}, "models: {c: {cmd: 'run ${PORT}'}}").config.models) == {"b", "c"}
    assert set(sources.trial({}, None).config.models) == {"a", "b"}
    assert set(sources.trial({}, "models: {c: {cmd: 'run ${PORT}', ttl: soon}}").disabled) == {"c"}
    assert set(Sources(None, str(folder)).trial({}, "models: {c: {cmd: 'run ${PORT}'}}").config.models) == {"c"}
