"""Show a configuration as it is understood, or what another one would change."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence

from llamaswap_py.cli.terminal import flags, sources
from llamaswap_py.cli.terminal.colours import GREEN, RED, YELLOW, Paint
from llamaswap_py.cli.terminal.flags import Flag, Usage, Words
from llamaswap_py.cli.terminal.reading import Understood, read_or_tell
from llamaswap_py.config.values import Config

NOTHING, DIFFERENT = 0, 3

USAGE = Usage(
    "llamaswap config show [MODEL] | diff OLD NEW | schema | init [flags]",
    "show    the configuration as it is understood: macros filled in, defaults written out, secrets masked\n"
    "diff    what a running server that has OLD would do if it were given NEW\n"
    "schema  a JSON Schema of the file, for editors\n"
    f"init    writes {sources.DEFAULT_CONFIG} with the models that are found\n\n"
    "The status is 0; 1 where a server would not start with a file, 2 where these words are misspelt, and of diff 3\n"
    f"where something differs. Without --config and --config-dir, {sources.DEFAULT_CONFIG} of this folder is read.",
    (
        *sources.FLAGS,
        Flag("json", "values for programs instead of a file that can be read again"),
        Flag("secrets", "show keys and passwords"),
        Flag("output", f"what init writes (default {sources.DEFAULT_CONFIG}; - is standard output)", "FILE"),
        Flag("force", "init overwrites the file"),
    ),
    choices=("show", "diff", "schema", "init"),
)


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    name, *rest = words.rest or ("",)
    action, most = ACTIONS.get(name, (misspelt, 0))
    if len(rest) > most or (name == "diff" and len(rest) != most):
        action = misspelt
    return action(words, rest)


def misspelt(words: Words, rest: Sequence[str]) -> int:
    print(f"there is no 'config {' '.join(words.rest)}'\n\n{USAGE}", file=sys.stderr)
    return 2


def show(words: Words, rest: Sequence[str]) -> int:
    config = sources.config_named(words)
    understood = read_or_tell(config, words.value("config-dir"), words.every("models-dir"))
    if understood is None:
        return 1
    status = print_shown(understood.reading.config, words, rest[0] if rest else None)
    if not status and not rest and "json" not in words.switches:
        print_found(understood)
    return status


def print_found(understood: Understood) -> None:
    """As comments, so that the whole can still be read again."""
    found = understood.reading.config.discovered
    lines = [f"{name} was found in {path}" for name, path in found.items()]
    lines += [str(left) for left in understood.left_out]
    if lines:
        print("\n".join(["", *(f"# {line}" for line in lines)]))


def print_shown(config: Config, words: Words, model: str | None) -> int:
    from llamaswap_py.config.names import nearest, resolve
    from llamaswap_py.config.secrets import masked, secrets_of
    from llamaswap_py.config.show import document, model_values, values
    from llamaswap_py.config.write import dump

    model_id = resolve(config, model or "")
    if model is not None and model_id is None:
        near = nearest(config, model)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        print(f"There is no model '{model}'.{hint}", file=sys.stderr)
        return 1
    in_json = "json" in words.switches
    shown = values(config) if in_json else document(config)
    if model_id is not None:
        shown = model_values(config, model_id) if in_json else {"models": {model_id: shown["models"][model_id]}}
    if "secrets" not in words.switches:
        shown = masked(shown, secrets_of(config))
    print(json.dumps(shown, indent=2, ensure_ascii=False) if in_json else dump(shown).rstrip("\n"))
    return 0


def diff(words: Words, rest: Sequence[str]) -> int:
    from llamaswap_py.config.change import compare, keys_of_model, keys_of_settings

    readings = [read_or_tell(path, None) for path in rest]
    if None in readings:
        return 1
    old, new = (each.reading.config for each in readings if each is not None)
    change, paint = compare(old, new), Paint(sys.stdout)
    rows: list[tuple[str, str, str, list[str]]] = [("added", GREEN, name, []) for name in change.added]
    rows += [("removed", RED, name, []) for name in change.removed]
    rows += [("restarted", RED, name, keys_of_model(old, new, name)) for name in change.relaunch]
    rows += [("retuned", YELLOW, name, keys_of_model(old, new, name)) for name in change.touched]
    rows += [("setting", YELLOW, name, []) for name in keys_of_settings(old, new)]
    for word, colour, name, keys in rows:
        why = f"  ({', '.join(keys)})" if keys else ""
        print(f"{paint(f'{word:<9}', colour)}  {name}{why}")
    if not rows:
        print("Nothing differs.")
    return DIFFERENT if rows else NOTHING


def schema(words: Words, rest: Sequence[str]) -> int:
    from llamaswap_py.config.json_schema import schema as of_the_file

    print(json.dumps(of_the_file(), indent=2, ensure_ascii=False))
    return 0


def init(words: Words, rest: Sequence[str]) -> int:
    from llamaswap_py.cli.terminal import beginning

    return beginning.init(words)


ACTIONS: dict[str, tuple[Callable[[Words, Sequence[str]], int], int]] = {
    "show": (show, 1),
    "diff": (diff, 2),
    "schema": (schema, 0),
    "init": (init, 0),
}
