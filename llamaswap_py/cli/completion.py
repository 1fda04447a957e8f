"""Completion: print the script with which a shell completes these commands and their flags."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from llamaswap_py.cli.terminal import commands, flags, shells
from llamaswap_py.cli.terminal.flags import Flag, Usage

USAGE = Usage(
    "llamaswap completion bash|zsh|fish",
    "Print the script with which a shell completes the commands and their flags. For this shell only:\n\n"
    "  bash  source <(llamaswap completion bash)\n"
    "  zsh   source <(llamaswap completion zsh)\n"
    "  fish  llamaswap completion fish | source\n\n"
    "and for good, in a file where the shell looks for it:\n\n"
    "  bash  ~/.local/share/bash-completion/completions/llamaswap\n"
    "  zsh   _llamaswap, in a folder of $fpath\n"
    "  fish  ~/.config/fish/completions/llamaswap.fish",
    (Flag("help", "this"),),
    choices=tuple(shells.SCRIPTS),
)


def main(argv: Sequence[str]) -> int:
    words = flags.read(USAGE, argv)
    if isinstance(words, int):
        return words
    if "help" in words.switches:
        print(USAGE)
        return 0
    if len(words.rest) != 1 or words.rest[0] not in shells.SCRIPTS:
        print(f"Name one shell: {', '.join(shells.SCRIPTS)}.\n\n{USAGE}", file=sys.stderr)
        return 2
    known = {name: (commands.caption(name), commands.usage(name)) for name in commands.names()}
    print(shells.SCRIPTS[words.rest[0]](known), end="")
    return 0
