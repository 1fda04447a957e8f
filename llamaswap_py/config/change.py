"""What a new configuration changes for what is running, compared before ports are filled in."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import msgspec

from llamaswap_py.config.command import argv
from llamaswap_py.config.show import document, model_entry
from llamaswap_py.config.values import Config, Model

# Not settings: said by the lists of models, or derived from other values.
APART = frozenset({"models", "discovered", "names", "ports", "remotes"})


class Change(msgspec.Struct, frozen=True):
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    relaunch: tuple[str, ...] = ()  # a process running now is not what the new configuration describes
    touched: tuple[str, ...] = ()  # differs only in what takes effect without a restart
    settings: tuple[str, ...] = ()  # fields of Config that differ

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.relaunch, self.touched, self.settings))


def launch_key(model: Model) -> Hashable:
    """What a running process embodies. Comments and line breaks in the command are not part of it."""
    return tuple(argv(model.cmd)), model.proxy, model.env


def differ(old: Model, new: Model) -> bool:
    """Python holds 1, 1.0 and true for the same; a server that is sent one of them does not."""
    return old != new or repr((old.filters, old.metadata)) != repr((new.filters, new.metadata))


def compare(old: Config, new: Config) -> Change:
    both = [model_id for model_id in new.models if model_id in old.models]
    differing = [model_id for model_id in both if differ(old.models[model_id], new.models[model_id])]
    relaunch = [each for each in differing if launch_key(old.models[each]) != launch_key(new.models[each])]
    return Change(
        added=tuple(model_id for model_id in new.models if model_id not in old.models),
        removed=tuple(model_id for model_id in old.models if model_id not in new.models),
        relaunch=tuple(relaunch),
        touched=tuple(model_id for model_id in differing if model_id not in relaunch),
        settings=tuple(name for name in setting_names() if getattr(old, name) != getattr(new, name)),
    )


def setting_names() -> list[str]:
    return [name for name in Config.__struct_fields__ if name not in APART]


def keys_of_model(old: Config, new: Config, model_id: str) -> list[str]:
    """The keys of a model, as they are written, that do not say the same."""
    return differing(model_entry(old.models[model_id]), model_entry(new.models[model_id]))


def keys_of_settings(old: Config, new: Config) -> list[str]:
    """The top-level keys other than `models`."""
    return differing(document(old), document(new) | {"models": document(old)["models"]})


def differing(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    return [name for name in {**old, **new} if old.get(name) != new.get(name)]
