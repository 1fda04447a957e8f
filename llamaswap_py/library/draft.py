"""A configuration file for what was found, written as a person would begin one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llamaswap_py.config.write import dump
from llamaswap_py.library.entries import entry
from llamaswap_py.library.files import Found, LeftOut

HEAD = """\
# Written by `llamaswap config init` from the model files that were there. Change it as you like; every key is
# described in docs/configuration.md, and `llamaswap check` says what is wrong with it.
#
# A file that is added later is not in here. To have such files served as well:
# discover: [{shelves}]
"""
SETTINGS = """
# ttl: 10m below a model, or for all of them:
# globalTTL: 10m             # stopped after ten minutes without use; 0 = never

# One model is up at a time. To keep some of them up side by side:
# groups:
#   together:
#     swap: false
#     members: [{members}]
"""


def draft(
    models: Sequence[Found], left_out: Iterable[LeftOut], shelves: Iterable[str], instead: str = "models: {}\n"
) -> str:
    """`instead`: the models where none was found."""
    members = [dump_word(model.id) for model in models[:2]] or ["one", "two"]
    parts = [HEAD.format(shelves=", ".join(map(dump_word, shelves))), "\nmodels:\n" if models else f"\n{instead}"]
    parts += [described(model) for model in models]
    parts.append(SETTINGS.format(members=", ".join(members)))
    missing = [f"# {left}\n" for left in left_out if not left.harmless]
    return "".join([*parts, *(["\n"] if missing else []), *missing])


def described(model: Found) -> str:
    about = model.card.facts
    words = [about.architecture, about.quantisation, size_of(model.size), trained(about.context_length)]
    keys = {name: value for name, value in entry(model).items() if name != "metadata"}
    lines = dump({model.id: keys}).splitlines()
    return "\n".join([f"  # {', '.join(filter(None, words))}", *(f"  {line}".rstrip() for line in lines), "", ""])


def size_of(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= 1 << 30 else f"{count / (1 << 20):.1f} MiB"


def trained(context: int) -> str:
    return f"trained for {context} tokens" if context else ""


def dump_word(word: str) -> str:
    """As it stands within brackets."""
    return dump({"": word}).partition(":")[2].strip()
