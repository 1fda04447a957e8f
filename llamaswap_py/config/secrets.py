"""Keys and passwords of a configuration, and the same values without them."""

from __future__ import annotations

import re
from typing import Any

from llamaswap_py.config.command import argv
from llamaswap_py.config.values import Config, Model

MASK = "********"
SECRET_NAME = re.compile(r"(?i)key|token|secret|password|passwd|credential")
SECRET_FLAG = re.compile(r"--?[\w-]*(?:api-key|token|secret|password)")
SHORTEST = 6  # characters; a shorter one could be part of anything, and is masked only where it is surely a secret


def secrets_of(config: Config) -> set[str]:
    found = set(config.api_keys)
    found.update(peer.api_key for peer in config.peers.values())
    for model in config.models.values():
        found.update(secrets_of_model(model))
    return found - {""}


def secrets_of_model(model: Model) -> set[str]:
    """Values of variables and flags whose names say that they are secret."""
    found = set()
    for entry in model.env:
        name, _, value = entry.partition("=")
        if SECRET_NAME.search(name):
            found.add(value)
    words = [*argv(model.cmd), *argv(model.cmd_stop)]
    for word, following in zip(words, [*words[1:], ""], strict=False):  # no words, no pairs
        flag, equals, value = word.partition("=")
        if SECRET_FLAG.fullmatch(flag):
            found.add(value if equals else following)
    return found


def masked(shown: Any, secrets: set[str]) -> Any:
    """Wherever a secret stands, alone or within a longer text."""
    if isinstance(shown, dict):
        return {masked_text(name, secrets): masked(value, secrets) for name, value in shown.items()}
    if isinstance(shown, list):
        return [masked(value, secrets) for value in shown]
    return masked_text(shown, secrets) if isinstance(shown, str) else shown


def masked_text(text: str, secrets: set[str]) -> str:
    if text in secrets:
        return MASK
    name, equals, value = text.partition("=")
    if equals and value in secrets:
        return f"{name}={MASK}"
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            text = text.replace(secret, MASK)
    return text
