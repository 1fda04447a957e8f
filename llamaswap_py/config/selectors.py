"""Names that choose among models (selectors), and names that can be switched (profiles)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import msgspec

from llamaswap_py.config.combination import Space
from llamaswap_py.config.fields import Fields
from llamaswap_py.config.report import Report, closest
from llamaswap_py.config.tree import List, Map, Place, at, inside
from llamaswap_py.config.values import NOTHING, Group, Matrix, Profile, Remote, Selector


class Known(msgspec.Struct, frozen=True):
    """The names there are before selectors: of models here, and of models of peers."""

    names: Mapping[str, str]
    remotes: Mapping[str, Remote]
    models: Collection[str]

    def found(self, name: str) -> str | Remote | None:
        """The model's id, or the peer's model."""
        return self.names.get(name) or self.remotes.get(name)

    def full_name(self, name: str) -> bool:
        """Whether it is `<peer>/<model>`."""
        remote = self.remotes.get(name)
        return remote is not None and name == f"{remote.peer}/{remote.model}"


def read_selectors(document: Fields, known: Known) -> Mapping[str, Selector]:
    entries = document.named("selectors")
    selectors = {}
    for name, node in entries.entries.items():
        fields = Fields(node, "selectors.*", inside("selectors", name), document.report)
        check_name(name, entries.keys[name], fields, known)
        selectors[name] = read_selector(name, fields)
        check_targets(selectors[name], fields, entries, known)
    return MappingProxyType(selectors)


def check_name(name: str, place: Place, fields: Fields, known: Known) -> None:
    remedy = "Give the selector another name."
    if not name.strip():
        fields.report.wrong(place, fields.path, "the selector's name is empty", "Give it a name.")
    elif name in known.names:
        owner = known.names[name]
        message = f"`{name}` is already a name of the model `{owner}`"
        fields.report.wrong(place, fields.path, message, remedy)
    elif known.full_name(name):
        fields.report.wrong(place, fields.path, f"`{name}` is the full name of a peer's model", remedy)


def read_selector(name: str, fields: Fields) -> Selector:
    if fields.get("strategy") is None:
        fields.wrong("strategy", "the selector has no strategy", "Write `strategy: pin`, `warm` or `spillover`.")
    if not fields.value("targets"):
        fields.wrong("targets", "the selector has no targets", "List the models: `targets: [first, second]`.")
    return Selector(
        id=name,
        strategy=fields.value("strategy"),
        targets=fields.value("targets"),
        spillover=fields.child("settings").value("spillover"),
        name=fields.value("name").strip(),
        description=fields.value("description").strip(),
        unlisted=fields.value("unlisted"),
        metadata=fields.value("metadata") or NOTHING,
    )


def check_targets(selector: Selector, fields: Fields, entries: Map, known: Known) -> None:
    seen: dict[str | Remote, str] = {}
    for number, target in enumerate(selector.targets):
        found = known.found(target)
        if target in entries.entries:
            tell(fields, number, f"`{target}` is a selector, and one cannot lead to another", "Name a model.")
        elif found is None:
            near = closest(target, [*known.names, *known.remotes])
            remedy = f"Did you mean `{near[0]}`?" if near else "Add the model, or remove it here."
            tell(fields, number, f"there is no model `{target}`", remedy)
        elif selector.strategy == "warm" and isinstance(found, Remote):
            tell(fields, number, f"`{target}` is a peer's, and `warm` knows only who is up here", "Name a local model.")
        elif selector.strategy == "spillover" and found in seen:
            tell(fields, number, f"`{target}` is the same model as `{seen[found]}`", "Remove one of the two.")
        else:
            seen[found] = target


def tell(fields: Fields, number: int, message: str, remedy: str) -> None:
    item = at(fields.get("targets"), number)
    place = item.place if item else fields.place("targets")
    fields.report.wrong(place, f"{fields.path}.targets[{number}]", message, remedy)


def check_spillover(document: Fields, selectors: Mapping[str, Selector], known: Known, together: Together) -> None:
    """The local targets of a spillover must be able to be up at the same time, or each would stop the other."""
    entries = document.named("selectors")
    for name, selector in selectors.items():
        local = list(dict.fromkeys(known.names[target] for target in selector.targets if target in known.names))
        if selector.strategy != "spillover" or len(local) < 2 or together.fit(local):
            continue
        node = at(entries, name, "targets")
        message = f"{', '.join(f'`{each}`' for each in local)} cannot be up together, so nothing can spill over"
        assert node  # the targets were read from there
        document.report.wrong(node.place, f"selectors.{name}.targets", message, together.remedy)


class Together(msgspec.Struct, frozen=True):
    """Which models the rule in force lets be up at the same time."""

    groups: Sequence[Group]
    matrix: Matrix | None

    def fit(self, models: Sequence[str]) -> bool:
        if self.matrix is not None:
            weight, _, _ = Space(self.matrix).heaviest(dict.fromkeys(models, 1))
            return weight == len(models)
        homes = [group for group in self.groups if set(models) <= set(group.members)]
        return any(not group.swap for group in homes)

    @property
    def remedy(self) -> str:
        if self.matrix is not None:
            return "Write a set of the matrix that has them all."
        return "Put them into one group with `swap: false`."


def read_profiles(document: Fields, selectors: Collection[str], known: Known) -> Mapping[str, Profile]:
    entries = document.named("profiles")
    profiles = {}
    for name, node in entries.entries.items():
        path, place = inside("profiles", name), entries.keys[name]
        fields = Fields(node, "profiles.*", path, document.report)
        pins: Mapping[str, str] = fields.value("pins") or NOTHING
        if not name.strip():
            document.report.wrong(place, path, "the profile's name is empty", "Give it a name.")
        if not pins and not isinstance(node, List):  # of a list something was said already
            where = fields.get("pins")
            remedy = "Write `pins:` and below it `requested-name: model`."
            document.report.wrong(where.place if where else place, f"{path}.pins", "the profile pins nothing", remedy)
        for pin in pins:
            check_pin(pin, pins[pin], fields, selectors, known)
        profiles[name] = Profile(name, pins, fields.value("description"))
    return MappingProxyType(profiles)


def check_pin(pin: str, target: str, fields: Fields, selectors: Collection[str], known: Known) -> None:
    node = at(fields.get("pins"), pin)
    assert node  # it was read from there
    path, report = f"{fields.path}.pins.{pin}", fields.report
    if not pin.strip():
        report.wrong(node.place, path, "the pinned name is empty", "Write the name that callers ask for.")
    elif known.full_name(pin):
        remedy = "Pin another name."
        report.wrong(node.place, path, f"`{pin}` is the full name of a peer's model", remedy)
    if target and target not in selectors and known.found(target) is None:
        near = closest(target, [*known.names, *known.remotes, *selectors])
        remedy = f"Did you mean `{near[0]}`?" if near else "Name a model or a selector; nothing switches the name off."
        report.wrong(node.place, path, f"there is no model or selector `{target}`", remedy)


def check_full_names(known: Known, places: Mapping[str, Place], report: Report) -> None:
    """A peer's full name must be free: nothing here may be called the same."""
    for name in known.remotes:
        if known.full_name(name) and name in known.names:
            owner, peer = known.names[name], known.remotes[name].peer
            message = f"`{name}` is a name of the model `{owner}` too"
            report.wrong(places[peer], f"peers.{peer}", message, "Rename the peer, or that name of the model.")
