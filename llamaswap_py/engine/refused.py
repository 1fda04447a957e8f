"""Why llama.cpp could not begin, in a sentence: its own log says that it failed, and seldom why. Asked only then."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path

from llamaswap_py.gguf import memory
from llamaswap_py.gguf.header import Broken, HeaderError, read_header

UNKNOWN = "llama.cpp could not begin; the lines above are all that it says."


def reason(model: str, hosts: Iterable[str], port: int) -> str:
    return of_model(Path(model)) or of_address(hosts, port) or UNKNOWN


def of_model(path: Path) -> str:
    """Empty where nothing is wrong with the file as far as its header tells."""
    try:
        with path.open("rb") as file:

            def piece(offset: int, size: int) -> bytes:
                file.seek(offset)
                return file.read(size)

            wanted, length = memory.file_size(read_header(piece)), path.stat().st_size
    except OSError as error:
        return f"the model file {path} cannot be read: {error.strerror}."
    except Broken as error:
        return f"the model file {path} cannot be used: {error}."
    except HeaderError as error:
        return f"{path} cannot be used: {error}."
    if length < wanted:
        return f"the model file {path} is not whole: of {wanted} bytes {length} are there. Is it still being copied?"
    return ""


def of_address(hosts: Iterable[str], port: int) -> str:
    for host in hosts:
        if port == 0 or host.endswith(".sock"):
            continue
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            socket.create_server((host, port), family=family).close()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)  # its own words repeat the address
            return f"cannot listen on {host}, port {port}: {why}. Is another server there? --port takes another."
    return ""
