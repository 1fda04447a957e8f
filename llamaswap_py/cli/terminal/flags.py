"""Flags as llama-swap takes them: one dash or two, `-x v` or `-x=v`, and a switch needs `=` to be given a value."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import msgspec

TRUTHS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


class Flag(msgspec.Struct, frozen=True):
    name: str
    help: str
    value: str = ""  # what stands for the value in the help text; empty for a switch
    short: str = ""  # one more name, of one letter

    @property
    def shown(self) -> str:
        """As help texts show it."""
        short = f"-{self.short}, " if self.short else ""
        return f"{short}--{self.name} {self.value}".rstrip()


class Usage(msgspec.Struct, frozen=True):
    """One command: how it is called, what it does, and its flags."""

    synopsis: str
    text: str
    flags: tuple[Flag, ...]
    interspersed: bool = True  # flags may follow other words; llama-swap's own end at the first one
    choices: tuple[str, ...] = ()  # words that may stand first, where they are known beforehand

    def __str__(self) -> str:
        width = max(len(flag.shown) for flag in self.flags)
        lines = [f"  {flag.shown:<{width}}  {flag.help}" for flag in self.flags]
        return "\n".join([f"usage: {self.synopsis}", "", self.text, "", "flags (one dash or two):", *lines])


class Words(msgspec.Struct, frozen=True):
    """What was typed: flags with a value, switches that are on, and everything else in its order."""

    given: Mapping[str, Sequence[str]]  # all values of a flag, in their order
    switches: frozenset[str]
    rest: tuple[str, ...]

    def value(self, name: str) -> str | None:
        """None where the flag was not given, or given empty: llama-swap does not tell these apart."""
        return self.every(name)[-1] or None if self.every(name) else None

    def every(self, name: str) -> Sequence[str]:
        """Of a flag that may be given more than once."""
        return self.given.get(name, ())


class Misspelt(Exception):
    """The words do not follow the usage."""


class HelpAsked(Exception):
    """Not a mistake, but it ends the reading just the same."""


def read(usage: Usage, argv: Sequence[str]) -> Words | int:
    """The words, or the exit status where there is nothing left to do: help was asked for, or a flag is wrong."""
    try:
        return parse(usage, argv)
    except HelpAsked:
        print(usage)
        return 0
    except Misspelt as mistake:
        print(f"{mistake}\n\n{usage}", file=sys.stderr)
        return 2


def parse(usage: Usage, argv: Sequence[str]) -> Words:
    given: dict[str, list[str]] = {}
    switches: dict[str, bool] = {}
    rest: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            rest.append(word)
            if usage.interspersed:
                continue
            break
        name, equals, text = word.removeprefix("-").removeprefix("-").partition("=")
        flag = find(usage, name, word)
        if not flag.value:
            switches[flag.name] = truth(word, text) if equals else True
        elif equals or words:
            given.setdefault(flag.name, []).append(text if equals else words.pop(0))
        else:
            raise Misspelt(f"flag needs an argument: {word}")
    on = frozenset(name for name, is_on in switches.items() if is_on)
    return Words(given, on, (*rest, *words))


def find(usage: Usage, name: str, word: str) -> Flag:
    for flag in usage.flags:
        if name and name in (flag.name, flag.short):
            return flag
    if name in ("h", "help"):
        raise HelpAsked
    raise Misspelt(f"flag provided but not defined: {word.partition('=')[0]}")


def truth(word: str, text: str) -> bool:
    if text not in TRUTHS:
        raise Misspelt(f"invalid boolean value in {word}: write true or false")
    return TRUTHS[text]
