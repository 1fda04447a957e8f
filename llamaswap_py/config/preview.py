"""What another configuration would mean, as plain values: whether it would be accepted, and what it would change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import asdict

from llamaswap_py.config.change import Change, compare, keys_of_model, keys_of_settings
from llamaswap_py.config.read import Reading
from llamaswap_py.config.secrets import masked_text
from llamaswap_py.config.values import Config
from llamaswap_py.errors import ConfigError, Mistake

Told = dict[str, Any]


def verdict(outcome: Reading | ConfigError, secrets: set[str]) -> Told:
    """Who asks may see the file, but not what the environment holds: `secrets`."""

    def rows(told: Iterable[Mistake]) -> list[Told]:
        return [
            asdict(each) | {"message": masked_text(each.message, secrets), "remedy": masked_text(each.remedy, secrets)}
            for each in told
        ]

    is_refused = isinstance(outcome, ConfigError)
    disabled: Mapping[str, tuple[Mistake, ...]] = {} if isinstance(outcome, ConfigError) else outcome.disabled
    return {
        "accepted": not is_refused,
        "mistakes": rows(outcome.mistakes) if isinstance(outcome, ConfigError) else [],
        "warnings": rows(outcome.warnings),
        "disabled": {model: rows(each) for model, each in disabled.items()},
    }


def changes(old: Config, new: Config) -> Told:
    """By model, with the keys that do not say the same."""
    change: Change = compare(old, new)
    return {
        "added": list(change.added),
        "removed": list(change.removed),
        "restarted": {name: keys_of_model(old, new, name) for name in change.relaunch},
        "retuned": {name: keys_of_model(old, new, name) for name in change.touched},
        "settings": keys_of_settings(old, new),
    }


def disabling(before: Iterable[str], reading: Reading) -> list[Mistake]:
    """The mistakes of models that were not disabled before."""
    return [mistake for model, each in reading.disabled.items() if model not in set(before) for mistake in each]
