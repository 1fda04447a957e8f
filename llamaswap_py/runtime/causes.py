"""What a dead server's last output says of the cause, as a sentence a person can act on. Text in, text out."""

from __future__ import annotations

import re

from llamaswap_py.launchers.child import Exit

NO_MEMORY = (
    r"out of memory|failed to allocate|cannot allocate memory|unable to allocate|std::bad_alloc|MemoryError|oom-kill"
    r"|no available memory|ErrorOutOfDeviceMemory|insufficient memory"
)

OUT_OF_MEMORY = "it ran out of memory: unload other models, or give it less context, fewer layers or a smaller model"
KERNEL_KILLED = "nobody here killed it: where the machine ran out of memory, the kernel did"

# The first that fits is told, so the more certain stand first.
CAUSES = tuple(
    (re.compile(pattern, re.IGNORECASE), sentence)
    for pattern, sentence in (
        (
            NO_MEMORY,
            OUT_OF_MEMORY,
        ),
        (
            r"error while loading shared libraries|library not loaded|symbol lookup error",
            "a shared library is missing that its program needs",
        ),
        (
            r"address already in use|couldn.?t bind|failed to bind|EADDRINUSE",
            "its port is in use by another program",
        ),
        (
            r"failed to open GGUF|(gguf|model|safetensors|mmproj).{0,120}(no such file|does not exist)",
            "its model file is missing or cannot be read: check the path in its command",
        ),
    )
)

MEMORY, PORT = CAUSES[0][0], CAUSES[2][0]
KILLED = 9
SHELLS_KILLED = 128 + KILLED  # a shell says so of its command


def port_taken(output: str) -> bool:
    return PORT.search(output) is not None


def starved(output: str, how: Exit) -> bool:
    """Whether it ended for want of memory, as far as anybody can tell."""
    return how.oom or is_killed(how) or MEMORY.search(output) is not None


def is_killed(how: Exit) -> bool:
    return how.signal == KILLED or how.code == SHELLS_KILLED


def cause(output: str, how: Exit | None) -> str:
    """Empty where nothing is known. `how` it ended, where it did so unasked."""
    for pattern, sentence in CAUSES:
        if pattern.search(output):
            return sentence
    if how is not None and is_killed(how):
        return KERNEL_KILLED
    return ""


def out_of_memory(why: str) -> bool:
    """Whether a sentence made with one of these causes tells of a lack of memory."""
    return OUT_OF_MEMORY in why or KERNEL_KILLED in why
