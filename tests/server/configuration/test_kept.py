"""Earlier texts on the disk."""

from __future__ import annotations

import stat
from pathlib import Path

from llamaswap_py.config.read import Source, read
from llamaswap_py.config.values import Config
from llamaswap_py.server.configuration.kept import Accepted, Versions

A = "models:\n  a:\n    cmd: run --port ${PORT}\n"


def config(text: str) -> Config:
    return read([Source("/c.yaml", text)], {}).config


def accepted(text: str, before: str = A, by: str = "edit") -> Accepted:
    return Accepted([Source("/c.yaml", text)], config(before), config(text), by)


def test_each_text_is_kept_once_with_where_it_came_from(tmp_path: Path) -> None:
    times = iter(range(1, 100))
    versions = Versions(tmp_path / "kept", lambda: float(next(times)))
    versions.record(Accepted([Source("/c.yaml", A)], None, config(A), "start"))
    versions.record(accepted(A))
    changed = A + "    ttl: 9 # ü\n"
    versions.expect("/c.yaml", b"\xef\xbb\xbf" + changed.encode(), "page")
    versions.record(accepted(changed))
    versions.record(accepted(A, changed))
    newest, middle, first = versions.versions()
    assert [each.by for each in (newest, middle, first)] == ["edit", "page", "start"]
    assert first.changes is None
    assert middle.changes is not None
    assert middle.changes["retuned"] == {"a": ["ttl"]}
    assert versions.text(middle.id) == (middle, changed)
    assert versions.expected == {}


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    versions = Versions(tmp_path / "kept")
    versions.record(accepted(A))
    (path,) = (tmp_path / "kept").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_is_no_version_is_not_there(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    (tmp_path / "1.version").write_text("broken\n")
    outside = tmp_path.parent / "outside.version"
    outside.write_text('{"id":"x"}\n')
    assert versions.versions() == []
    assert versions.text("../outside") is None
    assert versions.text("0000000000000001-000000000000") is None


def test_the_oldest_make_room(tmp_path: Path) -> None:
    times = iter(range(1, 1000))
    versions = Versions(tmp_path, lambda: float(next(times)))
    for number in range(103):
        versions.record(accepted(f"{A}    ttl: {number}\n"))
    assert [each.at for each in versions.versions()] == [float(number) for number in range(103, 3, -1)]
