"""What each shell needs to complete our commands: scripts written from the commands and their flags."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping

from llamaswap_py.cli.terminal.flags import Flag, Usage

# Command -> its caption and its usage; `DEFAULT` is meant where none is typed.
Known = Mapping[str, tuple[str, Usage]]
DEFAULT = "serve"
PROGRAMS = ("llamaswap", "llamaswap-py")
FILES, FOLDERS = ("FILE",), ("DIR",)


def bash(known: Known) -> str:
    cases = "\n".join(bash_case(name, usage) for name, (_, usage) in known.items())
    return f"""# completion of llamaswap for bash
_llamaswap() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
  local command={DEFAULT} words files folders
  COMPREPLY=()
  case "${{COMP_WORDS[1]}}" in {"|".join(known)}) command="${{COMP_WORDS[1]}}" ;; esac
  case "$command" in
{cases}
  esac
  if [[ "$COMP_CWORD" == 1 && "$word" != -* ]]; then words="{" ".join(known)}"; fi
  case " $files " in *" $previous "*) COMPREPLY=($(compgen -f -- "$word")); return ;; esac
  case " $folders " in *" $previous "*) COMPREPLY=($(compgen -d -- "$word")); return ;; esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _llamaswap {" ".join(PROGRAMS)}
"""


def bash_case(name: str, usage: Usage) -> str:
    words = " ".join([*usage.choices, *(f"--{flag.name}" for flag in usage.flags)])
    files = " ".join(f"--{flag.name}" for flag in usage.flags if flag.value in FILES)
    folders = " ".join(f"--{flag.name}" for flag in usage.flags if flag.value in FOLDERS)
    return f'    {name}) words="{words}" files="{files}" folders="{folders}" ;;'


def zsh(known: Known) -> str:
    listed = "\n".join(f"    {shlex.quote(name + ':' + zsh_text(caption))}" for name, (caption, _) in known.items())
    cases = "\n".join(zsh_case(name, usage) for name, (_, usage) in known.items())
    return f"""#compdef {" ".join(PROGRAMS)}
_llamaswap() {{
  local command={DEFAULT}
  local -a known
  known=(
{listed}
  )
  if (( CURRENT == 2 )) && [[ "$words[2]" != -* ]]; then
    _describe command known
    return
  fi
  if (( ${{known[(I)$words[2]:*]}} )); then
    command="$words[2]"
    shift words
    (( CURRENT-- ))
  fi
  case "$command" in
{cases}
  esac
}}
if [[ "$funcstack[1]" == _llamaswap ]]; then _llamaswap "$@"; else compdef _llamaswap {" ".join(PROGRAMS)}; fi
"""


def zsh_case(name: str, usage: Usage) -> str:
    specs = [shlex.quote(zsh_flag(flag)) for flag in usage.flags]
    specs += [shlex.quote(f"1:what:({' '.join(usage.choices)})")] if usage.choices else []
    return f"    {name}) _arguments {' '.join([*specs, shlex.quote('*:file:_files')])} ;;"


def zsh_flag(flag: Flag) -> str:
    action = {"FILE": "_files", "DIR": "_files -/"}.get(flag.value, " ")
    value = f"=:{zsh_text(flag.value)}:{action}" if flag.value else ""
    return f"--{flag.name}{value[:1]}[{zsh_text(flag.help)}]{value[1:]}"


def zsh_text(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "[]:\\" else letter for letter in text)


def fish(known: Known) -> str:
    lines = ["# completion of llamaswap for fish"]
    names = " ".join(known)
    for program in PROGRAMS:
        lines += [f"complete -c {program} -e"]
        for name, (caption, usage) in known.items():
            first = f"not __fish_seen_subcommand_from {names}"
            seen = f"__fish_seen_subcommand_from {name}" + (f"; or {first}" if name == DEFAULT else "")
            lines += [f"complete -c {program} -f -n {fish_text(first)} -a {name} -d {fish_text(caption)}"]
            lines += [fish_line(program, seen, word) for word in usage.choices]
            lines += [fish_flag(program, seen, flag) for flag in usage.flags]
    return "\n".join([*lines, ""])


def fish_line(program: str, seen: str, word: str) -> str:
    return f"complete -c {program} -n {fish_text(seen)} -a {word}"


def fish_flag(program: str, seen: str, flag: Flag) -> str:
    short = f" -s {flag.short}" if flag.short else ""
    value = " -r" if flag.value in (*FILES, *FOLDERS) else " -x" if flag.value else ""
    return f"complete -c {program} -n {fish_text(seen)} -l {flag.name}{short}{value} -d {fish_text(flag.help)}"


def fish_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


SCRIPTS: Mapping[str, Callable[[Known], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
