"""Which models share a place: the groups."""

from __future__ import annotations

from collections.abc import Mapping

from llamaswap_py.config.fields import Fields
from llamaswap_py.config.report import Report, closest
from llamaswap_py.config.tree import Map, Place, at, inside
from llamaswap_py.config.values import DEFAULT_GROUP, Group


def read_groups(
    path: str, entries: Map, names: Mapping[str, str], model_ids: list[str], report: Report
) -> tuple[Group, ...]:
    """The written groups in their order, then the models that are in none of them."""
    members = Members(names, model_ids, report)
    groups = []
    for name, node in entries.entries.items():
        if name == DEFAULT_GROUP:
            remedy = "Give it another name."
            message = "this name belongs to the models that are in no group, and the entry is ignored"
            report.warn(entries.keys[name], inside(path, name), message, remedy)
        else:
            groups.append(read_group(name, Fields(node, "groups.*", inside(path, name), report), members))
    return (*groups, Group(DEFAULT_GROUP, tuple(each for each in model_ids if each not in members.group_of)))


class Members:
    """Who is in which group. A model is in one at most."""

    def __init__(self, names: Mapping[str, str], model_ids: list[str], report: Report) -> None:
        self.names = names
        self.model_ids = model_ids
        self.report = report
        self.group_of: dict[str, str] = {}

    def fits(self, model: str, group: str, place: Place, key: str) -> bool:
        if model not in self.model_ids:
            self.report.wrong(place, key, f"there is no model `{model}`", self.remedy(model))
            return False
        if model in self.group_of:
            message = f"`{model}` is already in the group `{self.group_of[model]}`"
            self.report.wrong(place, key, message, "Keep it in one place.")
            return False
        self.group_of[model] = group
        return True

    def remedy(self, model: str) -> str:
        if model in self.names:
            return f"Groups need ids: write `{self.names[model]}`."
        near = closest(model, self.model_ids)
        return f"Did you mean `{near[0]}`?" if near else "Add it under `models`, or remove it here."


def read_group(name: str, fields: Fields, members: Members) -> Group:
    kept = []
    for number, model in enumerate(fields.value("members")):
        item = at(fields.get("members"), number)
        place = item.place if item else fields.place("members")
        if members.fits(model, name, place, f"{fields.path}.members[{number}]"):
            kept.append(model)
    return Group(name, tuple(kept), fields.value("swap"), fields.value("exclusive"), fields.value("persistent"))
