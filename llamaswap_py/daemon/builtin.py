"""Macros that need no declaration: `${llama_server}`, the llama-server of this machine, and `${demo_model}`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from llamaswap_py.config.command import quoted

NAME = "llama-server"
VARIABLE = "LLAMA_SERVER"
DEMO_MODEL = Path(__file__).resolve().parents[1] / "demo" / "demo.gguf"


class LlamaServer(msgspec.Struct, frozen=True):
    """Which one it is, as it stands in a command, and why."""

    command: str
    found: str  # "in $LLAMA_SERVER", "on PATH" or "included"


def builtin_macros(env: Mapping[str, str]) -> dict[str, str]:
    return {"llama_server": llama_server(env).command, "demo_model": quoted([str(DEMO_MODEL)])}


def llama_server(env: Mapping[str, str], python: str = sys.executable) -> LlamaServer:
    named = env.get(VARIABLE, "").strip()
    if named:  # a file whose name may have spaces, or a program with flags of its own
        return LlamaServer(quoted([named]) if Path(named).is_file() else named, f"in ${VARIABLE}")
    found = shutil.which(NAME, path=env.get("PATH", ""))
    if found:
        return LlamaServer(quoted([found]), "on PATH")
    return LlamaServer(quoted([python, "-m", "llamaswap_py", "engine"]), "included")
