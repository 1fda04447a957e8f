"""What a request must be changed by, from the name it asks for. The change itself is made where bytes are."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from llamaswap_py.config.command import fill_filters
from llamaswap_py.config.values import NOTHING, Config, Filters, Json


class Edits(msgspec.Struct, frozen=True):
    """In this order: the model's name, what is taken out, what is set."""

    model_name: str | None = None  # None: the name as it is
    strip: tuple[str, ...] = ()
    set: tuple[tuple[str, Json], ...] = ()

    def __bool__(self) -> bool:
        return self.model_name is not None or bool(self.strip or self.set)


def edits(config: Config, name: str) -> Edits:
    """For the name after profile and selector have spoken. A name that is nobody's changes nothing."""
    model_id = config.names.get(name)
    if model_id is not None:
        model = config.models[model_id]
        filters = fill_filters(model.filters, config.ports.get(model_id))
        return from_filters(filters, name, model.use_model_name or None)
    remote = config.remotes.get(name)
    if remote is None:
        return Edits()
    told = remote.model if remote.model != name else None
    return from_filters(config.peers[remote.peer].filters, name, told)


def from_filters(filters: Filters, name: str, told: str | None) -> Edits:
    """What is set for the name comes after what is set for all, and so wins."""
    own: Mapping[str, Json] = filters.set_by_id.get(name, NOTHING)
    return Edits(told, filters.strip, (*filters.set.items(), *own.items()))
