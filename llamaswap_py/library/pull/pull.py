"""One pull from wish to files: what is chosen, the room for it, several files at once; in threads of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import msgspec

from llamaswap_py.library.pull.choice import choose
from llamaswap_py.library.pull.folder import check_room, folder_for, place_of
from llamaswap_py.library.pull.hub import Hub, Repository
from llamaswap_py.library.pull.names import Wish
from llamaswap_py.library.pull.patience import Meter, Patience
from llamaswap_py.library.pull.transfer import Ground, Tally, Transfer
from llamaswap_py.library.pull.troubles import Again, PullFailed, Trouble

AT_ONCE = 4  # files; the storage behind the hub gives one connection some hundred megabytes a second


class Note(msgspec.Struct, frozen=True):
    text: str


class Chosen(msgspec.Struct, frozen=True):
    repo: str
    commit: str
    folder: str
    files: tuple[tuple[str, int], ...]  # path and size
    total: int


class Progress(msgspec.Struct, frozen=True):
    done: int
    total: int
    speed: float  # bytes a second
    left: float | None  # seconds
    files: tuple[tuple[str, int, int, str], ...]  # path, bytes there, size, stage


class Done(msgspec.Struct, frozen=True):
    folder: str
    files: tuple[str, ...]  # with their folder
    total: int
    seconds: float


class Failed(msgspec.Struct, frozen=True):
    trouble: str
    message: str
    near: tuple[str, ...]


News = Note | Chosen | Progress | Done | Failed


class Pull:
    """`start` it, and take `news` until it is Done or Failed. `progress` may be asked at any time."""

    def __init__(
        self, wish: Wish, models: Path, hub: Callable[[Wish], Hub] = Hub, wait: Callable[[float], bool] | None = None
    ) -> None:
        self.wish = wish
        self.models = models
        self.hub = hub
        self.news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self.meter = Meter()
        self.tallies: tuple[Tally, ...] = ()
        self.failure: PullFailed | None = None
        self.stopped = threading.Event()
        self.wait = wait or self.stopped.wait  # says whether the pull was stopped meanwhile

    def start(self) -> None:
        threading.Thread(target=self.run, name="pull", daemon=True).start()

    def stop(self) -> None:
        self.stopped.set()

    def next(self, patience: float) -> News:
        """The next news; how far it is, where there is none within that time."""
        try:
            return self.news.get(timeout=patience)
        except queue.Empty:
            return self.progress(time.monotonic())

    def progress(self, now: float) -> Progress:
        rows = tuple((each.path, each.done, each.size, each.stage.value) for each in self.tallies)
        done, total = sum(row[1] for row in rows), sum(row[2] for row in rows)
        self.meter.saw(now, sum(each.came for each in self.tallies))
        return Progress(done, total, self.meter.speed, self.meter.left(total - done), rows)

    # -- in its own thread

    def run(self) -> None:
        begun = time.monotonic()
        try:
            folder, paths = self.pull()
        except PullFailed as failure:
            self.news.put(Failed(failure.trouble.value, failure.message, failure.near))
        except Exception as error:  # noqa: BLE001  (a thread's end nobody would hear of)
            self.news.put(Failed("internal_error", f"{type(error).__name__}: {error}", ()))
        else:
            self.news.put(Done(str(folder), paths, sum(each.size for each in self.tallies), time.monotonic() - begun))

    def pull(self) -> tuple[Path, tuple[str, ...]]:
        hub = self.hub(self.wish)
        repository = self.looked_up(hub)
        choice = choose(repository.files, self.wish)
        folder = folder_for(repository.id, self.models)
        ground = Ground(partial(hub.open, repository.commit), self.rest, self.note)
        transfers = [Transfer(file, place_of(file.path, folder), ground) for file in choice.files]
        check_room(folder, sum(each.missing for each in transfers))
        self.tallies = tuple(each.tally for each in transfers)
        total = sum(each.size for each in choice.files)
        files = tuple((each.path, each.size) for each in choice.files)
        self.news.put(Chosen(repository.id, repository.commit, str(folder), files, total))
        for said in choice.said:
            self.note(said)
        self.bring(transfers)
        return folder, tuple(str(each.target) for each in transfers)

    def looked_up(self, hub: Hub) -> Repository:
        patience = Patience()
        while True:
            try:
                return hub.repository()
            except Again as again:
                wait = patience.wait_after(again)
                self.note(f"{again.failure.message} Trying again in {wait:.0f} s.")
                self.rest(wait)
            except PullFailed as failure:
                if failure.trouble is not Trouble.NO_REPOSITORY or not (near := hub.near()):
                    raise
                listed = "\n".join(f"  {name}" for name in near)
                raise PullFailed(failure.trouble, f"{failure.message} Perhaps one of these:\n{listed}", near) from None

    def bring(self, transfers: Iterable[Transfer]) -> None:
        """All of them, some at once; the first that fails ends the others, and what they have is kept."""
        waiting: queue.SimpleQueue[Transfer] = queue.SimpleQueue()
        for transfer in transfers:
            waiting.put(transfer)
        threads = [threading.Thread(target=self.work, args=(waiting,), daemon=True) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failure is not None:
            raise self.failure

    def work(self, waiting: queue.SimpleQueue[Transfer]) -> None:
        try:
            while not self.stopped.is_set():
                waiting.get_nowait().run()
        except queue.Empty:
            return
        except PullFailed as failure:
            self.give_up(failure)
        except Exception as error:  # noqa: BLE001  (as in run)
            self.give_up(PullFailed(Trouble.HUB_FAILED, f"{type(error).__name__}: {error}"))

    def give_up(self, failure: PullFailed) -> None:
        if self.failure is None:  # those that are stopped for it say so after it
            self.failure = failure
        self.stop()

    def rest(self, seconds: float) -> None:
        """Raises where the pull is stopped."""
        if self.wait(seconds) if seconds else self.stopped.is_set():
            raise PullFailed(Trouble.STOPPED, "Stopped. What has come is kept: the same command goes on from there.")

    def note(self, text: str) -> None:
        self.news.put(Note(text))
