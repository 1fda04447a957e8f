"""The engine's life: flags to parameters, the load, serving until told to stop, the end.

llama.cpp's HTTP server runs in threads of its own; Python only waits here, for a signal or for the parent's end.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from llamaswap_py.engine import attributes, native, parent
from llamaswap_py.engine.flags import translate
from llamaswap_py.engine.loading import Loading
from llamaswap_py.engine.refused import reason

PORT = 8080  # llama-server's own
BY_TABLE = "LLAMASWAP_ENGINE_FLAGS"  # set to `table`: flags are read by our own table, not by llama.cpp
MISSING = """The engine that comes with llamaswap needs the package xllamacpp, which is not installed here.
Install it with 'pip install xllamacpp', or install llama-server and put it on PATH or into $LLAMA_SERVER."""
NO_MODEL = """Name a model file: -m FILE.gguf. The engine that comes with llamaswap loads one model, from a file;
it neither downloads (-hf, -mu) nor serves a folder (--models-dir)."""


def run(words: Sequence[str]) -> int:
    """Exit status: 0 it was told to stop, 1 it could not start. A signal while the model loads ends it at once."""
    above = os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # no Python runs during the load, so nothing else would be heeded
    try:
        import xllamacpp as engine
    except ImportError as error:
        return tell(MISSING if error.name == "xllamacpp" else f"{MISSING}\n({error})")
    modern, notes = translate(words)
    for note in notes:
        tell(f"engine: {note}")
    params = engine.CommonParams()
    params.port = PORT
    if not understood(engine, params, modern):
        return 1
    if not params.model.path:
        return tell(NO_MODEL)
    return serve(engine, params, above)


def understood(engine: Any, params: Any, words: Sequence[str]) -> bool:
    parse = None if os.environ.get(BY_TABLE) == "table" else native.find(engine)
    if parse is not None:
        return parse(params, ["llama-server", *words])
    try:
        attributes.apply(engine, params, words)
    except attributes.Unknown as error:
        tell(str(error))
        return False
    return True


def serve(engine: Any, params: Any, above: int) -> int:
    try:
        with Loading(above):
            server = engine.Server(params)
    except RuntimeError:  # it says the same of everything
        return tell(f"engine: {reason(params.model.path, params.hostnames, params.port)}")
    heard, telling = socket.socketpair()
    telling.setblocking(False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(telling.fileno(), warn_on_full_buffer=False)  # whichever thread the signal reaches
    parent.watch(above, lambda: end(params))
    tell(f"engine: ready at {server.listening_address}")
    heard.recv(1)
    return end(params)


def end(params: Any) -> NoReturn:
    """At once, whoever is connected: llama.cpp's own end waits for callers that may stay for as long as they like."""
    for name in params.hostnames:
        if name.endswith(".sock"):
            with suppress(OSError):
                Path(name).unlink()
    os._exit(0)


def tell(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
    return 1
