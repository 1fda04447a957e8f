"""Check a configuration: every mistake with its place and remedy, without starting anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from llamaswap_py.cli.terminal import flags, sources
from llamaswap_py.cli.terminal.flags import Usage
from llamaswap_py.config.values import DEFAULT_GROUP, Config, Model
from llamaswap_py.errors import ConfigError

USAGE = Usage(
    "llamaswap check [FILE] [flags]",
    "Check a configuration: every mistake with its place and remedy, without starting anything. The status is 0 where\n"
    f"a server would start with it. Without a file, {sources.DEFAULT_CONFIG} of the current folder is read.",
    sources.FLAGS,
)


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    config = words.rest[0] if words.rest else sources.config_named(words)
    if not config and not words.value("config-dir"):
        print(sources.NONE, file=sys.stderr)
        return 1
    return check(config, words.value("config-dir"))


def check(config: str | None, config_dir: str | None) -> int:
    from llamaswap_py.daemon.sources import Sources

    try:
        reading = Sources(config, config_dir).read(os.environ)
    except ConfigError as error:
        for mistake in error.mistakes:
            print(f"mistake  {mistake}", file=sys.stderr)
        print(f"\n{count(len(error.mistakes), 'mistake')}: a server would not start with this.", file=sys.stderr)
        return 1
    for warning in reading.warnings:
        print(f"warning  {warning}", file=sys.stderr)
    print(summary(reading.config))
    return 0


def summary(config: Config) -> str:
    lines = [f"{count(len(config.models), 'model')}, nothing wrong."]
    homes = {member: group.id for group in config.groups for member in group.members}
    lines += [f"  {line(model, homes.get(model.id, DEFAULT_GROUP), config)}" for model in config.models.values()]
    return "\n".join(lines)


def line(model: Model, group: str, config: Config) -> str:
    parts = [model.id]
    parts += [f"also {', '.join(model.aliases)}"] if model.aliases else []
    parts += [f"group {group}"] if group != DEFAULT_GROUP else []
    parts += [f"port {config.ports[model.id]}"] if model.id in config.ports else []
    parts += [f"unloaded after {model.ttl:g} s"] if model.ttl else []
    parts += ["loaded at the start"] if model.id in config.preload else []
    return "  ".join(parts)


def count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
