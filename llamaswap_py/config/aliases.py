"""Giving out names: every alias belongs to one model, and an id is stronger than an alias."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from llamaswap_py.config.macros import PORT
from llamaswap_py.config.models import Draft
from llamaswap_py.config.tree import Place, at
from llamaswap_py.config.values import Model


class Registry:
    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = dict(models)
        self.owners: dict[str, str] = {}  # alias -> the model that has it

    def add_aliases(self, draft: Draft) -> None:
        """The written ones. All models' come before any extra names, which may repeat an own one."""
        model = self.models[draft.id]
        kept = tuple(alias for number, alias in enumerate(model.aliases) if self.claim(alias, number, draft))
        if kept != model.aliases:
            self.models[draft.id] = replace(model, aliases=kept)

    def claim(self, alias: str, number: int, draft: Draft) -> bool:
        if alias and alias not in self.owners and alias not in self.models:
            self.owners[alias] = draft.id
            return True
        item = at(draft.fields.get("aliases"), number)
        place = item.place if item else draft.place
        key = f"{draft.fields.path}.aliases[{number}]"
        report = draft.fields.report
        if not alias:
            report.warn(place, key, "an empty alias has no effect", "Remove it.")
            return False
        owner = self.owners.get(alias)
        if owner is not None:
            remedy = "Remove one of the two."
            report.wrong(place, key, f"the alias `{alias}` already belongs to the model `{owner}`", remedy)
            return False
        if alias != draft.id:
            remedy = "Remove it: the model of that id always answers to it."
            report.warn(place, key, f"the alias `{alias}` is also a model's id", remedy)
        self.owners[alias] = draft.id
        return True

    def add_extra_names(self, draft: Draft) -> None:
        for name, place in draft.extra_names.items():
            if name != draft.id and self.owners.get(name) != draft.id:
                self.claim_extra(name, place, draft)

    def claim_extra(self, name: str, place: Place, draft: Draft) -> None:
        key = f"{draft.fields.path}.filters.setParamsByID"
        report = draft.fields.report
        owner = name if name in self.models else self.owners.get(name)
        if owner is not None:
            remedy = "Choose another key."
            report.wrong(place, key, f"the key `{name}` already names the model `{owner}`", remedy)
            return
        self.owners[name] = draft.id
        model = self.models[draft.id]
        self.models[draft.id] = replace(model, aliases=(*model.aliases, name))

    def names(self, ports: Mapping[str, int]) -> dict[str, str]:
        """Every name and its model. A port may be part of an alias."""
        owners = {alias.replace(PORT, str(ports.get(owner, PORT))): owner for alias, owner in self.owners.items()}
        return owners | {model_id: model_id for model_id in self.models}


def give_names(models: Mapping[str, Model], drafts: Iterable[Draft]) -> Registry:
    """In the order written, so that the later of two claims is the mistake."""
    registry = Registry(models)
    drafts = [draft for draft in drafts if draft.fields.node is not None]
    for draft in drafts:
        registry.add_aliases(draft)
    for draft in drafts:
        registry.add_extra_names(draft)
    return registry
