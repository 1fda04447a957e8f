"""Which llama-server a configuration's commands start, its version, and what it would not understand in them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from llamaswap_py.config.command import argv
from llamaswap_py.config.values import Config
from llamaswap_py.daemon.builtin import LlamaServer, llama_server
from llamaswap_py.engine.flags import outdated
from llamaswap_py.errors import Mistake

SHORT = 5.0  # seconds; the slowest version seen took half a second, with a graphics driver to wake
NAMES = ("llama-server", "llama-server.exe")
OURS = ("llamaswap", "llamaswap-py")


def chosen(config: Config, env: Mapping[str, str] = os.environ) -> LlamaServer | None:
    """What `${llama_server}` stands for here; None where no model's command has it."""
    server = llama_server(env)
    words = argv(server.command)
    return server if any(contains(argv(model.cmd), words) for model in config.models.values()) else None


def told(server: LlamaServer) -> str:
    return f"${{llama_server}} is {server.command} ({server.found}), {version_of(argv(server.command))}"


def version_of(command: Sequence[str], within: float = SHORT) -> str:
    """One line, or why there is none: llama-server may print about its devices first, on either stream."""
    try:
        done = subprocess.run(
            [*command, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=within,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"whose version is not known: it said nothing within {within:g} s"
    except OSError as error:
        return f"which cannot be started: {error.strerror}"
    lines = [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
    named = [line for line in lines if line.startswith("version")]
    if named or (lines and not done.returncode):
        return (named or lines)[0]
    return f"whose version is not known: --version ended with status {done.returncode}"


def warnings(config: Config, file: str, env: Mapping[str, str] = os.environ) -> list[Mistake]:
    """A flag that llama.cpp has no more, in a command that is llama-server's, with what to write instead."""
    server = argv(llama_server(env).command)
    return [
        Mistake(file, 0, 0, f"models.{model.id}.cmd", f"{note.flag} {note.trouble}", note.remedy)
        for model in config.models.values()
        for note in outdated(flags_of(argv(model.cmd), server))
    ]


def flags_of(words: Sequence[str], server: Sequence[str]) -> Sequence[str]:
    """What follows the program, where that is a llama-server; nothing else's flags are judged."""
    if not words:
        return ()
    program = PurePath(words[0].replace("\\", "/")).name.lower()
    if program in NAMES:
        return words[1:]
    if program in OURS and words[1:2] == ["engine"]:
        return words[2:]
    if tuple(words[1:4]) == ("-m", "llamaswap_py", "engine"):
        return words[4:]
    return words[len(server) :] if list(words[: len(server)]) == list(server) else ()


def contains(words: Sequence[str], server: Sequence[str]) -> bool:
    """Anywhere, for it may stand behind `taskset` or `env`."""
    return any(list(words[at : at + len(server)]) == list(server) for at in range(len(words)))
