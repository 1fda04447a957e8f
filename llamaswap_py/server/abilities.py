"""What a model can do, as flags that pages and clients know."""

from __future__ import annotations

from llamaswap_py.config.values import Capabilities

# A flag stands for what goes in and what comes out; None: anything.
BY_KIND = {
    "vision": ("image", None),
    "audio_transcriptions": ("audio", "text"),
    "audio_speech": ("text", "audio"),
    "image_generation": ("text", "image"),
    "image_to_image": ("image", "image"),
}


def flags(able: Capabilities) -> dict[str, bool]:
    """Those that are true, and no others."""
    found = {
        name: taken in able.inputs and (given is None or given in able.outputs)
        for name, (taken, given) in BY_KIND.items()
    }
    found |= {"function_calling": able.tools, "reranker": able.reranker}
    return {name: True for name, has in found.items() if has}
