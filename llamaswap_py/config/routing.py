"""Which rule says what may be up together, and whose callers go first: the two places each may stand in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from llamaswap_py.config.fields import Fields
from llamaswap_py.config.matrix import read_matrix
from llamaswap_py.config.report import closest
from llamaswap_py.config.tree import Map, Node, Place, Scalar, at, inside
from llamaswap_py.config.values import NOTHING, Matrix

SETTINGS = "routing.router.settings"
EMPTY = Map({}, {}, Place("", 0, 0))


def filled(node: Node | None) -> bool:
    """Something stands there; an empty mapping counts as nothing."""
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return False
    return not isinstance(node, Map) or bool(node.entries)


class Routing:
    """Where the rule in force stands. Both places at once are a mistake, and so is a rule without its settings."""

    def __init__(self, document: Fields) -> None:
        self.document = document
        self.router = document.child("routing").child("router")
        self.settings = self.router.child("settings")
        self.newer = filled(self.router.node)
        self.legacy = [name for name in ("groups", "matrix") if filled(document.get(name))]
        self.use = self.router.value("use") if self.newer else "matrix" if "matrix" in self.legacy else "group"
        self.check_places()
        self.check_use()

    def check_places(self) -> None:
        if self.newer and self.legacy:
            name = self.legacy[0]
            message = f"`{name}` is set here and there is a `routing.router` too"
            self.document.wrong(name, message, f"Move it to `{SETTINGS}.{name}`.")
        elif len(self.legacy) == 2:
            self.document.wrong("matrix", "`groups` and `matrix` exclude each other", "Remove one of the two.")

    def check_use(self) -> None:
        there = filled(self.settings.get("matrix"))
        if self.newer and self.use == "matrix" and not there:
            remedy = "Write the matrix under `settings`, or set `use: group`."
            self.router.wrong("use", "the router is `matrix`, but there is none", remedy)
        elif self.use == "group" and there:
            remedy = "Set `routing.router.use: matrix`, or remove it."
            self.settings.warn("matrix", "this matrix is not in force, and groups are used", remedy)

    def groups(self) -> tuple[str, Map]:
        """The groups in force and their path. Under a matrix they are not used."""
        newer, older = self.settings.named("groups"), self.document.named("groups")
        if self.use == "matrix":
            return "groups", EMPTY
        return (f"{SETTINGS}.groups", newer) if self.newer else ("groups", older)

    def matrix(self, model_ids: Collection[str], names: Collection[str]) -> Matrix | None:
        node, path = self.document.get("matrix"), "matrix"
        if self.newer:
            node, path = self.settings.get("matrix"), f"{SETTINGS}.matrix"
        if self.use != "matrix" or not filled(node):
            return None
        return read_matrix(Fields(node, "matrix", path, self.document.report), model_ids, names)

    def priorities(self, names: Mapping[str, str]) -> Mapping[str, int]:
        """By model id. An alias stands for its model; the id itself is stronger."""
        scheduler = self.document.child("routing").child("scheduler")
        scheduler.value("use")
        fields = scheduler.child("settings").child("fifo")
        found: dict[str, int] = {}
        for name, priority in (fields.value("priority") or NOTHING).items():
            if name not in names:
                self.no_such_model(fields, name, names)
            elif names[name] == name:
                found[name] = priority
            else:
                found.setdefault(names[name], priority)
        return MappingProxyType(found)

    def no_such_model(self, fields: Fields, name: str, names: Collection[str]) -> None:
        node = at(fields.get("priority"), name)
        assert node  # it was read from there
        near = closest(name, names)
        remedy = f"Did you mean `{near[0]}`?" if near else "Remove it, or add the model."
        path = inside(inside(fields.path, "priority"), name)
        self.document.report.wrong(node.place, path, f"there is no model `{name}`", remedy)
