"""What last outputs say of the cause."""

from __future__ import annotations

import pytest

from llamaswap_py.launchers.child import Exit
from llamaswap_py.runtime.causes import cause


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("ggml_cuda: CUDA error: out of memory", "memory"),
        ("llama_kv_cache: failed to allocate buffer for kv cache", "memory"),
        ("ValueError: No available memory for the cache blocks", "memory"),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "memory"),
        ("vk::Device::allocateMemory: ErrorOutOfDeviceMemory", "memory"),
        ("./server: error while loading shared libraries: libcuda.so.1: cannot open", "shared library"),
        ("dyld[1]: Library not loaded: @rpath/libggml.dylib", "shared library"),
        ("[Errno 98] error while attempting to bind: address already in use", "port"),
        ("gguf_init_from_file: failed to open GGUF file 'x.gguf'", "model file"),
        ("error: model path /models/x.gguf does not exist", "model file"),
        ("error loading model: unknown architecture", ""),
        ("", ""),
    ],
)
def test_lines_name_a_cause(output: str, told: str) -> None:
    found = cause(f"some line\n{output}\nexiting", Exit(code=1))
    assert (told in found) if told else not found


@pytest.mark.fault("P28")
@pytest.mark.parametrize("how", [Exit(signal=9), Exit(code=137)])
def test_a_kill_that_we_did_not_send_is_likely_the_kernels(how: Exit) -> None:
    assert "out of memory" in cause("all is well", how)


@pytest.mark.parametrize("how", [Exit(signal=11), Exit(code=1), Exit(), None])
def test_other_ends_say_nothing_by_themselves(how: Exit | None) -> None:
    assert cause("all is well", how) == ""
