"""llama.cpp's own reading of flags, which xllamacpp carries without a door to it; used only where it proves itself."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

SYMBOL = (
    "_Z19common_params_parseiPPcR13common_params13llama_examplePFviS0_E"  # as compilers for Linux and macOS name it
)
BEHIND_HEAD = 16  # bytes of a Python object before what it wraps
SERVER = 12  # LLAMA_EXAMPLE_SERVER
PROBE = ("llama-server", "--port", "4711", "--alias", "probe", "-m", "probe.gguf", "-c", "77")
MARK = 1_234_567

# (parameters, words) -> whether they were understood; what is wrong is printed by llama.cpp. `--help` ends the process.
Parse = Callable[[Any, Sequence[str]], bool]


def find(engine: Any) -> Parse | None:
    """None where the library has no such door, or where what is behind it is not what was expected."""
    try:
        function = ctypes.CDLL(engine.xllamacpp.__file__)[SYMBOL]
    except (AttributeError, OSError):
        return None
    function.restype = ctypes.c_bool
    pointers = ctypes.POINTER(ctypes.c_char_p)
    function.argtypes = [ctypes.c_int, pointers, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]

    def parse(params: Any, words: Sequence[str]) -> bool:
        argv = (ctypes.c_char_p * (len(words) + 1))(*[os.fsencode(word) for word in words], None)
        return bool(function(len(words), argv, id(params) + BEHIND_HEAD, SERVER, None))

    return parse if is_trusted(engine, parse) else None


def is_trusted(engine: Any, parse: Parse) -> bool:
    """First that the wrapped values lie where we think, then that a known command is read as it should be."""
    params = engine.CommonParams()
    params.n_predict = MARK  # the first of them
    if ctypes.c_int32.from_address(id(params) + BEHIND_HEAD).value != MARK:
        return False
    params = engine.CommonParams()
    with without_variables():
        if not parse(params, PROBE):
            return False
    found = (params.port, set(params.model_alias), params.model.path, params.n_ctx, params.n_parallel)
    return found == (4711, {"probe"}, "probe.gguf", 77, -1)  # -1: as many slots as suit, the server's own default


@contextmanager
def without_variables() -> Iterator[None]:
    """$LLAMA_ARG_* would take part in the probe."""
    hidden = {name: value for name, value in os.environ.items() if name.startswith("LLAMA_ARG_")}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)
