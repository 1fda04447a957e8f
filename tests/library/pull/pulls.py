"""Pulls in this process, from the fake hub, without waiting for real."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from llamaswap_py.library.pull.hub import Hub
from llamaswap_py.library.pull.names import Wish, wish_of
from llamaswap_py.library.pull.pull import Done, Failed, News, Note, Pull
from tests.fakes.hub import FakeHub, Repo

LONG = 30.0
REPO = "acme/Tiny-GGUF"
MODEL = "Tiny-Q4_K_M.gguf"


def gguf(size: int, seed: int = 0) -> bytes:
    return b"GGUF" + random.Random(seed).randbytes(size - 4)


def hub_of(size: int = 200_000, **more: bytes) -> FakeHub:
    return FakeHub({REPO: Repo({MODEL: gguf(size), **more})})


@dataclass
class Pulled:
    """What one pull said, and how it ended."""

    end: Done | Failed
    notes: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    @property
    def trouble(self) -> str:
        assert isinstance(self.end, Failed), self.end
        return self.end.trouble

    @property
    def message(self) -> str:
        assert isinstance(self.end, Failed), self.end
        return self.end.message

    @property
    def files(self) -> tuple[str, ...]:
        assert isinstance(self.end, Done), self.end
        return self.end.files


def started(
    hub: FakeHub, models: Path, wish: Wish | None = None, token: str = "", waited: list[float] | None = None
) -> Pull:
    def wait(seconds: float) -> bool:
        if waited is not None:
            waited.append(seconds)
        return pull.stopped.is_set()

    pull = Pull(wish or wish_of(REPO), models, lambda wish: Hub(wish, hub.url, token or False), wait)
    pull.start()
    return pull


def ended(pull: Pull) -> Pulled:
    notes: list[str] = []
    while True:
        news: News = pull.news.get(timeout=LONG)
        if isinstance(news, Note):
            notes.append(news.text)
        elif isinstance(news, Done | Failed):
            return Pulled(news, notes)


def pulled(hub: FakeHub, models: Path, wish: Wish | None = None, token: str = "") -> Pulled:
    waited: list[float] = []
    result = ended(started(hub, models, wish, token, waited))
    result.waited = [seconds for seconds in waited if seconds]
    return result


def left_in(folder: Path) -> set[str]:
    """Files that a person sees."""
    return {path.name for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")}
