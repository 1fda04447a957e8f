"""What was measured, in the state directory: a file and a report for each session. May be deleted at any time."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from llamaswap_py.bench.values import Session

ID = re.compile(r"\d{8}-\d{6}(-\d+)?")


class Shelf:
    def __init__(self, state: Path) -> None:
        self.folder = state / "benchmarks"

    def sessions(self) -> list[Session]:
        """The oldest first; what cannot be read is none."""
        found = []
        for path in self.folder.glob("*.json") if self.folder.is_dir() else ():
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Session))
            except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
                continue
        return sorted(found, key=lambda each: each.began)

    def find(self, name: str) -> Session | None:
        """By its id or the beginning of one, the newest; `last` is the newest of all."""
        found = [each for each in self.sessions() if each.id.startswith(name) or name == "last"]
        return found[-1] if found else None

    def remove(self, session: Session) -> None:
        for kind in ("json", "html"):
            (self.folder / f"{session.id}.{kind}").unlink(missing_ok=True)

    def fresh_id(self, stamp: str) -> str:
        """The moment, as a name that nothing has yet."""
        name, number = stamp, 1
        while (self.folder / f"{name}.json").exists():
            number += 1
            name = f"{stamp}-{number}"
        return name

    def keep(self, session: Session, report: str) -> Path:
        """Where the report is."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.folder / f"{session.id}.new"
        fresh.write_bytes(msgspec.json.encode(session))
        fresh.replace(self.folder / f"{session.id}.json")
        path = self.folder / f"{session.id}.html"
        path.write_text(report, "utf-8")
        return path
