"""Flags that llama-server had and has no more, and what stands for them today. Words in, words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec


class Removed(msgspec.Struct, frozen=True):
    """One old flag, under all its names."""

    names: tuple[str, ...]
    values: int  # how many words follow it
    now: tuple[str, ...]  # what to write instead; its values follow. Empty: leave it out
    remedy: str


class Note(msgspec.Struct, frozen=True):
    flag: str
    remedy: str
    trouble: str = "is gone from llama-server"

    def __str__(self) -> str:
        return f"{self.flag} {self.trouble}. {self.remedy}"


def renamed(names: str, now: str) -> Removed:
    return Removed(tuple(names.split()), 1, (now,), f"Write {now}.")


def dropped(names: str, values: int, remedy: str = "Leave it out: it has no effect any more.") -> Removed:
    return Removed(tuple(names.split()), values, (), remedy)


TABLE: tuple[Removed, ...] = (
    renamed("--draft --draft-n --draft-max", "--spec-draft-n-max"),
    renamed("--draft-min --draft-n-min", "--spec-draft-n-min"),
    dropped("-cd --ctx-size-draft", 1, "Leave it out: a draft model has the context of its model."),
    Removed(("--slots-endpoint-disable",), 0, ("--no-slots",), "Write --no-slots."),
    Removed(("--memory-f32",), 0, ("-ctk", "f32", "-ctv", "f32"), "Write --cache-type-k f32 --cache-type-v f32."),
    dropped("-gan --grp-attn-n -gaw --grp-attn-w", 1, "Leave it out, or stretch the context with --rope-scaling."),
    dropped("--tfs", 1, "Leave it out: tail-free sampling is gone; --min-p does its work."),
    dropped("--log-format", 1, "Leave it out, or write --log-jsonl."),
    dropped("-dkvc --dump-kv-cache --logits-all --penalize-nl --no-penalize-nl --mmq --low-vram", 0),
    dropped("-ns --sequences --lora-base -spf --system-prompt-file", 1),
)
REMOVED: Mapping[str, Removed] = {name: removed for removed in TABLE for name in removed.names}

# How the weights get into memory was said by switches, and is one flag with one value now.
LOAD_SWITCHES = ("--mlock", "--mmap", "--no-mmap", "--direct-io", "-dio", "--no-direct-io", "-ndio")
LOAD_MODE = ("-lm", "--load-mode")
# A switch once, and a flag with a value now; a bare one is still found in many a command.
FLASH = ("-fa", "--flash-attn")
FLASH_VALUES = ("on", "off", "auto", "1", "0", "true", "false", "enabled", "disabled", "-1")


def translate(words: Sequence[str]) -> tuple[list[str], list[Note]]:
    """The same in today's spelling, and what was changed."""
    modern: list[str] = []
    notes: list[Note] = []
    switches = [word for word in words if word in LOAD_SWITCHES]
    rest = iter([word for word in words if word not in LOAD_SWITCHES])
    for word in rest:
        removed = REMOVED.get(word)
        if removed is None:
            modern.append(word)
            continue
        values = list(islice(rest, removed.values))
        modern += [*removed.now, *values] if removed.now else []
        notes.append(Note(word, removed.remedy))
    for at in reversed(range(len(modern))):
        if modern[at] in FLASH and not set(modern[at + 1 : at + 2]).intersection(FLASH_VALUES):
            notes.append(Note(modern[at], f"Write {modern[at]} on.", "takes a value by now"))
            modern.insert(at + 1, "on")
    notes += [Note(switch, f"Write --load-mode {mode_of(switches)}.") for switch in switches]
    return modern + load_mode(switches, words), notes


def outdated(words: Sequence[str]) -> list[Note]:
    """What a command uses that today's llama-server refuses; each flag once."""
    return list(dict.fromkeys(translate(words)[1]))


def load_mode(switches: Sequence[str], words: Sequence[str]) -> list[str]:
    return [] if not switches or set(LOAD_MODE).intersection(words) else ["--load-mode", mode_of(switches)]


def mode_of(switches: Sequence[str]) -> str:
    if {"--direct-io", "-dio"}.intersection(switches):
        return "dio"
    if "--no-mmap" in switches:
        return "mlock" if "--mlock" in switches else "none"
    return "mmap+mlock" if "--mlock" in switches else "mmap"
