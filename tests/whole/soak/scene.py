"""What is soaked: models of every temper in one configuration, each of which says by a lock that it runs once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.whole.faults.disk import mountable, own_disk
from tests.whole.faults.trees import STRAY
from tests.whole.program import OWN_PORTS, SOCKETS, Program, fake

MARK = "LLAMASWAP_SOAK"  # in the environment of everything that belongs to one soak
TWICE = 99  # how a server ends that finds another one of its model alive
DISK = "128m"  # half an hour of records fit in
QUEUE_SECONDS = 30  # the longest that anybody may wait for a seat


# name -> (what its server is told, what its shell does before, its other keys)
TEMPERS: dict[str, tuple[str, str, dict[str, object]]] = {
    "plain": ("--grandchild", "", {}),
    "stray": ("", f"{STRAY}; ", {"unloadTimeout": 1}),
    "slow": ("--load-seconds 2", "", {"sendLoadingState": "true"}),
    "brittle": ("--die-after 7 --exit-code 3", "", {}),
    "deaf": ("--ignore-sigterm", "", {"unloadTimeout": 1}),
    "brief": ("", "", {"ttl": 1}),
    "left": ("", "", {"seats": 2}),
    "right": ("", "", {"drainOnAbort": "true"}),
    "alone": ("--grandchild", "", {}),
}
CHATTY = tuple(TEMPERS)
REMOVABLE = "brief"  # comes and goes with the configuration
GROUPS = """groups:
  together: {swap: false, exclusive: false, members: [plain, stray, slow, brittle, deaf, BRIEF sockets]}
  either: {swap: true, exclusive: false, members: [left, right]}
  alone: {swap: true, exclusive: true, members: [alone]}
"""
SETTINGS = f"""startPort: {OWN_PORTS}
patience: 2
stallTimeout: 6
queueTimeout: {QUEUE_SECONDS}
healthCheckTimeout: 15
holdLoad: 2
metricsMaxInMemory: 100000
limits: {{uploadStall: 10, readerStall: 10, drain: 5}}
"""


class Scene:
    """A folder, its configuration in every edition, and the state directory on a disk of its own where that can be."""

    def __init__(self, folder: Path, tag: str) -> None:
        self.folder = folder
        self.tag = tag
        self.state = folder / "state"
        self.has_disk = mountable()

    def text(self, edition: int = 0, removed: bool = False) -> str:
        """Editions differ in one model's arguments, and in what needs no restart."""
        models = "".join(self.model(name, edition) for name in CHATTY if not (removed and name == REMOVABLE))
        groups = GROUPS.replace("BRIEF", "" if removed else f"{REMOVABLE},")
        store = f"store: {{path: {self.state / 'records.db'}}}\n"
        return f"{groups}{SETTINGS}{store}models:\n{models}  sockets:\n    cmd: {SOCKETS}\n"

    def model(self, name: str, edition: int) -> str:
        options, before, keys = TEMPERS[name]
        if name == "plain":
            options += f" -m edition-{edition}"
        lock = (
            f"exec 8>{self.folder / name}.lock; flock -n -E {TWICE} 8 || exit $?"  # not where flock itself was killed
        )
        command = f"sh -c '{lock}; {before}exec {fake(options)}'"
        rows = [f"  {name}:", "    cmd: |", f"      {command}", f"    description: edition {edition}"]
        return "\n".join([*rows, *(f"    {key}: {value}" for key, value in keys.items())]) + "\n"

    def program(self) -> Program:
        program = Program(self.folder, self.text(), env={MARK: self.tag})
        program.before = self.prepare()
        return program

    def prepare(self) -> Callable[[], object] | None:
        """A small disk that really fills up; elsewhere files are forbidden to grow."""
        return own_disk(self.state, DISK) if self.has_disk else None
