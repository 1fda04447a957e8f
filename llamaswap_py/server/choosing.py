"""Which model a request means at this moment: the active profile, selectors and what they have chosen so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from llamaswap_py.config.names import Choice, Chosen, Exhausted, SwitchedOff, View, choose, nearest
from llamaswap_py.config.values import Config
from llamaswap_py.errors import NoTarget, Refusal, UnknownModel
from llamaswap_py.runtime.conductor import Conductor


class Phases(Mapping[str, str]):
    """Of the models here, looked up when somebody asks for one: most requests ask for none."""

    def __init__(self, conductor: Conductor) -> None:
        self.conductor = conductor

    def __getitem__(self, model: str) -> str:
        sight = self.conductor.scheduler.sight(model)
        if sight is None:
            raise KeyError(model)
        return sight.phase.value

    def __iter__(self) -> Iterator[str]:
        return iter(self.conductor.scheduler.snapshot())

    def __len__(self) -> int:
        return len(self.conductor.scheduler.snapshot())


class Choosing:
    """`profile` tells the active one. Whoever was sent to a selector's target holds it until the request ends."""

    def __init__(self, conductor: Conductor, profile: Callable[[], str | None]) -> None:
        self.conductor = conductor
        self.profile = profile
        self.phases = Phases(conductor)
        self.held: Counter[tuple[str, str]] = Counter()
        self.turns: Counter[str] = Counter()

    def view(self) -> View:
        return View(self.profile(), self.phases, self.held, self.turns)

    def choose(self, name: str) -> Chosen:
        return choose(self.conductor.config, name, self.view())

    def by_path(self, name: str) -> Choice | SwitchedOff | None:
        """For `/upstream/<name>/`, where selectors do not choose. None: nothing there is called so."""
        config = self.conductor.config
        profile = config.profiles.get(self.profile() or "")
        meant = profile.pins.get(name, name) if profile else name
        if meant in config.selectors:
            return None
        chosen = self.choose(name)
        return chosen if isinstance(chosen, Choice | SwitchedOff) else None

    def settled(self, chosen: Chosen) -> Choice:
        """Refuses where there is nobody to go to."""
        if not isinstance(chosen, Choice):
            raise refusal_of(self.conductor.config, chosen)
        return chosen

    @contextmanager
    def hold(self, choice: Choice) -> Iterator[None]:
        """What a selector chose is held until the request ends."""
        place = choice.selector, choice.name
        self.turns[choice.selector] += 1
        self.held[place] += 1
        try:
            yield
        finally:
            self.held[place] -= 1
            if not self.held[place]:
                del self.held[place]


def refusal_of(config: Config, chosen: Chosen) -> Refusal:
    match chosen:
        case Exhausted(selector):
            return NoTarget(f'selector "{selector}" has no available spillover targets: all of them are being stopped')
        case SwitchedOff(name, profile):
            return UnknownModel(f"the name {name!r} is switched off by the active profile {profile!r}")
        case _:
            return unknown(config, chosen.name)


def unknown(config: Config, name: str) -> UnknownModel:
    near = nearest(config, name)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; GET /v1/models lists the names"
    return UnknownModel(f"there is no model {name!r} here{hint}")
