"""From a header to a card: how long the file must be, and with which context it is served. Pure."""

from __future__ import annotations

from llamaswap_py.gguf import memory
from llamaswap_py.gguf.facts import ENCODERS, Facts, Metadata, Purpose, facts
from llamaswap_py.gguf.header import Broken, Header
from llamaswap_py.library.files import Card

# Nobody has said how much of the memory a model may take, so the choice is modest: what most conversations need, ...
LONGEST_CONTEXT = 32768
SHORTEST_CONTEXT = 4096
CACHE_BYTES = 4 << 30  # ... and at most this much for the cache
LONGEST_INPUT = 8192  # of embeddings and rerankers: each input goes through the model in one piece, which takes memory


def card(header: Header) -> Card:
    about = facts(header)
    metadata = Metadata(header)
    return Card(
        facts=about,
        length=length_of(header),
        context=context_of(header, about),
        calls_tools="tools" in metadata.text("tokenizer.chat_template"),
        senses=senses_of(header) if about.purpose is Purpose.PROJECTOR else (),
    )


def length_of(header: Header) -> int:
    """0 where a tensor is of a type newer than this program."""
    try:
        return memory.file_size(header)
    except Broken:
        return 0


def context_of(header: Header, about: Facts) -> int:
    """What it was trained for, up to a bound; halved until its cache is not too large."""
    if about.purpose is not Purpose.TEXT:
        return min(about.context_length, LONGEST_INPUT)
    context = min(about.context_length, LONGEST_CONTEXT)
    while context > SHORTEST_CONTEXT and memory.cache(header, context) > CACHE_BYTES:
        context = max(context // 2, SHORTEST_CONTEXT)
    return context


def senses_of(header: Header) -> tuple[str, ...]:
    """Older projectors do not say what they are for; all of them were for images."""
    told = {"image": "clip.has_vision_encoder", "audio": "clip.has_audio_encoder"}
    found = tuple(sense for sense, key in told.items() if header.metadata.get(key) is True)
    return found or ("image",)


def pooling_of(about: Facts) -> str:
    """For headers without one: encoders take the mean, and what was made from a text model its last token."""
    if about.pooling not in ("", "none", "rank"):
        return ""
    return "mean" if about.architecture in ENCODERS else "last"
