"""One file, from the hub to its final name: shared, resumed, checked, and only then there.

What has come lies beside it as `.name.hash.part`: the hash is of the content wanted, so that what a part holds is
the beginning of just that content, whoever began it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import StrEnum
from io import FileIO
from pathlib import Path

import msgspec

from llamaswap_py.library.pull.checksum import Digest, is_right, new_digest, wrong
from llamaswap_py.library.pull.choice import RemoteFile
from llamaswap_py.library.pull.disk import Writable, disk, glob_safe, open_part, settle, size_of, write
from llamaswap_py.library.pull.hub import Stream
from llamaswap_py.library.pull.patience import Patience
from llamaswap_py.library.pull.troubles import Again, PullFailed, Trouble
from llamaswap_py.library.pull.turn import discard, lock_of, turn

MAGIC = b"GGUF"
PIECE = 1024 * 1024  # read at once where a file is checked
LOOK = 0.2  # seconds between two looks at what another pull brings

Open = Callable[[str, int], AbstractContextManager[Stream]]  # path on the hub, first byte wanted


class Stage(StrEnum):
    WAITING = "waiting"
    CHECKING = "checking"
    LOADING = "loading"
    SHARED = "loaded by another pull"
    DONE = "done"


class Tally(msgspec.Struct):
    """How far a file is: written by the thread that brings it, read by whoever shows it."""

    path: str
    size: int
    done: int = 0
    stage: Stage = Stage.WAITING
    came: int = 0  # bytes that came over the net, for the speed


class Ground(msgspec.Struct, frozen=True):
    """What a transfer stands on."""

    open: Open
    rest: Callable[[float], None]  # raises where the pull is stopped
    note: Callable[[str], None]
    part: Callable[[Path], FileIO] = open_part


class Transfer:
    def __init__(self, file: RemoteFile, target: Path, ground: Ground) -> None:
        self.file = file
        self.target = target
        self.ground = ground
        self.tally = Tally(file.path, file.size)
        self.part = target.with_name(f".{target.name}.{file.identity[:16] or 'unknown'}.part")
        self.lock = lock_of(self.part)

    @property
    def missing(self) -> int:
        """Bytes that the disk must still take."""
        if size_of(self.target) == self.file.size:
            return 0
        return max(0, self.file.size - (size_of(self.part) or 0))

    def run(self) -> None:
        """Raises PullFailed. Whatever happens, the final name means the whole file, or what it meant before."""
        with disk(self.target):
            if not self.is_there():
                with turn(self.lock, self.look):
                    self.bring()
        self.tally.done, self.tally.stage = self.file.size, Stage.DONE

    def look(self) -> None:
        """Another pull brings it: show how far it is."""
        self.tally.stage = Stage.SHARED
        before, self.tally.done = self.tally.done, size_of(self.part) or self.tally.done
        self.tally.came += max(0, self.tally.done - before)
        self.ground.rest(LOOK)

    def bring(self) -> None:
        if self.tally.stage is Stage.SHARED and self.is_there():
            return  # the other one has
        resumed = self.has_begun()
        digest = self.load()
        if not is_right(self.file, digest):
            self.part.unlink()
            if not resumed:
                raise wrong(self.file)
            # After a power cut a part may end in what was never written.
            self.ground.note(f"What had come of {self.file.path} was damaged; it is loaded anew.")
            if not is_right(self.file, self.load()):
                self.part.unlink()
                raise wrong(self.file)
        self.place()

    # -- what is there

    def is_there(self) -> bool:
        """The final file, and it is what the hub has: also the way to check a file again."""
        if size_of(self.target) != self.file.size:
            return False
        self.tally.stage = Stage.CHECKING
        digest = new_digest(self.file)
        with self.target.open("rb", buffering=0) as file:
            self.feed(digest, file.read)
        return is_right(self.file, digest)

    def has_begun(self) -> bool:
        size = size_of(self.part) or 0
        if size > self.file.size or not self.file.identity:
            self.part.unlink(missing_ok=True)  # of nothing we know
            size = 0
        return size > 0

    def feed(self, digest: Digest, read: Callable[[int], bytes]) -> None:
        self.tally.done = 0
        while data := read(PIECE):
            digest.update(data)
            self.tally.done += len(data)
            self.ground.rest(0)

    # -- what comes

    def load(self) -> Digest:
        """The part, complete."""
        with self.ground.part(self.part) as part:
            self.tally.stage = Stage.CHECKING
            digest = new_digest(self.file)
            self.feed(digest, part.read)
            patience = Patience()
            while self.tally.done < self.file.size:
                self.tally.stage = Stage.LOADING
                digest = self.try_once(part, digest, patience)
            os.fsync(part.fileno())
        return digest

    def try_once(self, part: Writable, digest: Digest, patience: Patience) -> Digest:
        before = self.tally.done
        try:
            with self.ground.open(self.file.path, before) as stream:
                digest = self.admitted(stream, part, digest)
                self.receive(stream, part, digest)
            if self.tally.done == before:
                raise Again(PullFailed(Trouble.HUB_FAILED, f"The hub sends nothing of {self.file.path}."))
        except Again as again:
            if self.tally.done > before:
                patience.got_further()
            wait = patience.wait_after(again)
            self.ground.note(f"{again.failure.message} Trying again in {wait:.0f} s.")
            self.ground.rest(wait)
        return digest

    def admitted(self, stream: Stream, part: Writable, digest: Digest) -> Digest:
        """Not a web page, of the length expected, and from where we are: or else from the beginning."""
        name = self.file.path
        if stream.kind == "text/html" and not name.endswith((".html", ".htm")):
            raise PullFailed(
                Trouble.NOT_A_MODEL,
                f"A web page came instead of {name}. Something between here and the hub answers for it: a sign-in page"
                " of the network, or a proxy. What has come of the file before is kept.",
            )
        if stream.total is not None and stream.total != self.file.size:
            raise PullFailed(
                Trouble.WRONG_SIZE, f"{name} should have {self.file.size} bytes, and {stream.total} are sent."
            )
        if stream.start == self.tally.done:
            return digest
        if stream.start != 0:
            raise PullFailed(Trouble.HUB_FAILED, f"Another part of {name} came than was asked for.")
        self.ground.note(f"The server cannot go on in the middle of {name}; it begins anew.")
        part.seek(0)
        part.truncate(0)
        self.tally.done = 0
        return new_digest(self.file)

    def receive(self, stream: Stream, part: Writable, digest: Digest) -> None:
        for data in stream.pieces:
            if self.file.path.lower().endswith(".gguf") and self.tally.done < len(MAGIC):
                self.check_magic(data)
            if self.tally.done + len(data) > self.file.size:
                raise PullFailed(Trouble.WRONG_SIZE, f"More of {self.file.path} comes than its {self.file.size} bytes.")
            write(part, data)
            digest.update(data)
            self.tally.done += len(data)
            self.tally.came += len(data)
            self.ground.rest(0)

    def check_magic(self, data: bytes) -> None:
        wanted = MAGIC[self.tally.done : self.tally.done + len(data)]
        if not data.startswith(wanted):
            raise PullFailed(
                Trouble.NOT_A_MODEL, f"What came as {self.file.path} is no GGUF file: it begins with {data[:16]!r}."
            )

    def place(self) -> None:
        """From here on it is there."""
        self.part.replace(self.target)
        for part in self.target.parent.glob(f".{glob_safe(self.target.name)}.*.part"):
            discard(part)  # of what the hub had under this name before
        settle(self.target.parent)
