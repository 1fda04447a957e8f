"""Check a configuration: every mistake with its place and remedy, without starting a model."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from llamaswap_py.cli.terminal import engines, flags, sources
from llamaswap_py.cli.terminal.colours import GREEN, Paint
from llamaswap_py.cli.terminal.flags import Flag, Usage, Words
from llamaswap_py.cli.terminal.reading import count, read_or_tell, tell
from llamaswap_py.config.values import DEFAULT_GROUP, Config, Model

USAGE = Usage(
    "llamaswap check [FILE] [flags]",
    "Check a configuration: every mistake with its place and remedy, without starting a model. The status is 0 where\n"
    "a server would start with it, 1 where it would not, and 2 where these words are misspelt. Flags that\n"
    "llama-server has no more are warned of, and where a command has ${llama_server}, it is said which one that is.\n"
    f"Without a file, {sources.DEFAULT_CONFIG} of the current folder is read. Models are looked for where a server\n"
    "would look, and it is said what it would leave out, and why.",
    (*sources.FLAGS, Flag("strict", "a warning is a mistake: the status is 1")),
)


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    config = words.rest[0] if words.rest else sources.config_named(words)
    return check(words, config, words.value("config-dir"))


def check(words: Words, config: str | None, config_dir: str | None) -> int:
    understood = read_or_tell(config, config_dir, words.every("models-dir"))
    if understood is None:
        return 1
    reading, strict = understood.reading, "strict" in words.switches
    warnings = [*reading.warnings, *engines.warnings(reading.config, config or config_dir or "")]
    tell((), warnings)
    if strict and warnings:
        print(f"\n{count(len(warnings), 'warning')}: too many for --strict.", file=sys.stderr)
        return 1
    first, *rest = summary(reading.config, len(warnings))
    print("\n".join([Paint(sys.stdout)(first, GREEN), *rest]))
    server = engines.chosen(reading.config)
    if server is not None:
        print(engines.told(server))
    for left in understood.left_out:
        print(f"{left}.")
    return 0


def summary(config: Config, warnings: int) -> list[str]:
    homes = {member: group.id for group in config.groups for member in group.members}
    rows = [line(model, homes.get(model.id, DEFAULT_GROUP), config) for model in config.models.values()]
    verdict = count(warnings, "warning") if warnings else "nothing wrong"
    return [f"{count(len(config.models), 'model')}, {verdict}.", *(f"  {row}" for row in rows)]


def line(model: Model, group: str, config: Config) -> str:
    parts = [model.id]
    parts += [f"found in {config.discovered[model.id]}"] if model.id in config.discovered else []
    parts += [f"also {', '.join(model.aliases)}"] if model.aliases else []
    parts += [f"group {group}"] if group != DEFAULT_GROUP else []
    parts += [f"port {config.ports[model.id]}"] if model.id in config.ports else []
    parts += [f"unloaded after {model.ttl:g} s"] if model.ttl else []
    parts += ["loaded at the start"] if model.id in config.preload else []
    return "  ".join(parts)
