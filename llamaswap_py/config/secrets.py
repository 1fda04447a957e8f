"""Keys and passwords of a configuration, and the same values without them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from llamaswap_py.config.command import argv
from llamaswap_py.config.mask import MASK, SECRET_NAME, without
from llamaswap_py.config.values import Config, Model, Receiver

SECRET_FLAG = re.compile(r"--?[\w-]*(?:api-key|token|secret|password)")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*")


def secrets_of(config: Config) -> set[str]:
    found = set(config.api_keys)
    found.update(peer.api_key for peer in config.peers.values())
    for receiver in config.alerts.receivers.values():
        found.update(secrets_of_receiver(receiver))
    for model in config.models.values():
        found.update(secrets_of_model(model))
    return found - {""}


def secrets_of_receiver(receiver: Receiver) -> set[str]:
    """Who knows the address of a webhook may write there."""
    named = {receiver.url, receiver.secret, receiver.token, receiver.password, *receiver.headers.values()}
    return named - {""}


def secrets_in_address(receiver: Receiver) -> set[str]:
    """The parts by which a library may quote it when something goes wrong."""
    try:
        parts = urlsplit(receiver.url)
        return {parts.path, parts.query, parts.password or "", parts.username or ""} - {"", "/"}
    except ValueError:
        return set()


def secrets_of_model(model: Model) -> set[str]:
    """Values of variables and flags whose names say that they are secret."""
    return set(secrets_within(model.env, model.cmd, model.cmd_stop))


@lru_cache(1024)  # asked for every row that a page shows
def secrets_within(env: tuple[str, ...], *commands: str) -> frozenset[str]:
    found = set()
    for entry in env:
        name, _, value = entry.partition("=")
        if SECRET_NAME.search(name):
            found.add(value)
    words = [part for command in commands for word in argv(command) for part in (word, *inner(word))]
    for word, following in zip(words, [*words[1:], ""], strict=False):  # no words, no pairs
        flag, equals, value = word.partition("=")
        if SECRET_FLAG.fullmatch(flag):
            found.add(value if equals else following)
        elif equals and ASSIGNMENT.fullmatch(flag) and SECRET_NAME.search(flag):  # as `docker run -e` takes them
            found.add(value)
    return frozenset(found)


def inner(word: str) -> list[str]:
    """The words of a command that is one word of another, as for `sh -c`."""
    return word.split() if " " in word else []


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
    return without(text, secrets)
