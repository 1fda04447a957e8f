"""Which model a caller means: exact names only. A profile's pin speaks first, then a selector, then ids, aliases, and
the models of peers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from llamaswap_py.config.report import closest
from llamaswap_py.config.values import Config, Remote, Selector, nothing

SUGGESTIONS = 3  # as many as fit into an error sentence
READY, STARTING, STOPPING = "ready", "starting", "stopping"
WORSE = {"failed": 1, "gave-up": 2}


class View(msgspec.Struct, frozen=True):
    """What a choice may depend on at this moment."""

    profile: str | None = None  # the active one
    phases: Mapping[str, str] = msgspec.field(default_factory=nothing)  # model id -> its phase; missing: it is down
    held: Mapping[tuple[str, str], int] = msgspec.field(
        default_factory=nothing
    )  # (selector, target) -> requests there now
    turns: Mapping[str, int] = msgspec.field(default_factory=nothing)  # selector -> how often it has chosen


class Choice(msgspec.Struct, frozen=True):
    name: str  # what the request asks for now; filters go by it
    target: str | Remote  # the id of a model here, or a model of a peer
    selector: str = ""  # that chose. It holds (selector, name) until the request ends


class Unknown(msgspec.Struct, frozen=True):
    """Nobody is called so."""

    name: str


class SwitchedOff(msgspec.Struct, frozen=True):
    """The active profile has switched the name off."""

    name: str
    profile: str


class Exhausted(msgspec.Struct, frozen=True):
    """Every target of the selector is on its way out."""

    selector: str


Chosen = Choice | Unknown | SwitchedOff | Exhausted


def choose(config: Config, name: str, view: View) -> Chosen:
    asked = name
    profile = config.profiles.get(view.profile or "")
    if profile is not None and name in profile.pins:
        name = profile.pins[name]  # not looked up again: a pin does not lead to a pin
        if not name:
            return SwitchedOff(asked, profile.id)
    selector = config.selectors.get(name)
    if selector is None:
        target = target_of(config, name)
        return Unknown(asked) if target is None else Choice(name, target)
    picked = pick(config, selector, view)
    if picked is None:
        return Exhausted(selector.id)
    target = target_of(config, picked)
    assert target is not None  # the configuration was checked for it
    return Choice(picked, target, selector.id)


def target_of(config: Config, name: str) -> str | Remote | None:
    """An id before an alias, and what is here before what peers have."""
    return config.names.get(name) or config.remotes.get(name)


def pick(config: Config, selector: Selector, view: View) -> str | None:
    if selector.strategy == "spillover":
        return spill(config, selector, view)
    if selector.strategy == "warm":
        return min(selector.targets, key=lambda target: warmth(config, target, view))  # of equals the first
    return selector.targets[0]


def warmth(config: Config, target: str, view: View) -> int:
    """Less is warmer."""
    phase = view.phases.get(config.names.get(target, ""))
    return (READY, STARTING, phase).index(phase)


def spill(config: Config, selector: Selector, view: View) -> str | None:
    """The least busy target that is up, until each has its share; then one more is woken."""
    phases = {target: view.phases.get(config.names.get(target, ""), "") for target in selector.targets}
    held = {target: view.held.get((selector.id, target), 0) for target in selector.targets}
    active = [each for each in selector.targets if phases[each] in (READY, STARTING) or held[each]]
    cold = [each for each in selector.targets if each not in active and phases[each] != STOPPING]
    cold.sort(key=lambda each: WORSE.get(phases[each], 0))  # what has just failed is the last to be tried
    least = min((held[each] for each in active), default=0)
    if cold and (not active or least >= selector.spillover):
        return cold[0]
    idlest = [each for each in active if held[each] == least]
    return idlest[view.turns.get(selector.id, 0) % len(idlest)] if idlest else None


def resolve(config: Config, name: str) -> str | None:
    """The id of the model here that is called so; what needs no profile, selector or peer."""
    return config.names.get(name)


def nearest(config: Config, name: str) -> list[str]:
    """Names that exist and look like the one that does not, best first."""
    return closest(name, {**config.names, **config.selectors, **config.remotes}, SUGGESTIONS)
