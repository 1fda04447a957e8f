"""From a listing and the cards to the models there are, and to what is left out and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePath

import msgspec
from msgspec.structs import replace

from llamaswap_py.gguf.facts import Purpose
from llamaswap_py.library.bundles import Bundle, bundles, without_doubles
from llamaswap_py.library.files import Card, Cards, Discovery, File, Found, Illegible, LeftOut, Listing, Trouble
from llamaswap_py.library.naming import GENERIC, Name, give_aliases, give_ids, projector_stem
from llamaswap_py.library.projectors import Blind, Projector, join

QUIET = 3.0  # seconds; a copy that pauses for longer is known by its length
UNFIT = re.compile("[\0-\x1f\x7f\ud800-\udfff]|\\$\\{")  # what no command line of a configuration can hold
NOTHING = Discovery()

SENTENCES = {
    Purpose.ADAPTER: "it is an adapter (LoRA), which a model's own command names with --lora",
    Purpose.OTHER: "it holds no model",
    Purpose.PROJECTOR: "it is a projector (mmproj), and which model it belongs to cannot be told",
}


class Complete(msgspec.Struct, frozen=True):
    """A bundle with its first file's card."""

    bundle: Bundle
    card: Card

    @property
    def path(self) -> str:
        return self.bundle.first.path


class Before(msgspec.Struct, frozen=True):
    """What was there a moment ago, and the ids of the models that run."""

    discovery: Discovery = NOTHING
    in_use: Collection[str] = ()


def discover(listing: Listing, cards: Cards, now: float, before: Before) -> Discovery:
    complete, left_out = judged(listing, cards, now)
    models = models_among(complete)
    served = {each.path for each in models}
    kept = [each for each in before.discovery.models if each.path not in served and stays(each, before, listing)]
    names = {each.path: each.bundle.name(each.card.facts.quantisation) for each in models}
    ids = give_ids(names, before.discovery.ids, {each.id for each in kept})
    found = put_together(models, complete, names, ids)
    left_out += unused([each for each in complete if not serves(each.card)], found)
    everything = sorted([*found, *kept], key=lambda each: each.id)
    held = ids | {each.path: each.id for each in kept}
    return Discovery(tuple(everything), tuple(sorted(left_out, key=lambda each: each.path)), held)


def judged(listing: Listing, cards: Cards, now: float) -> tuple[list[Complete], list[LeftOut]]:
    verdicts = [(bundle, judge(bundle, cards, now)) for bundle in bundles(listing.files)]
    complete = [Complete(bundle, verdict) for bundle, verdict in verdicts if isinstance(verdict, Card)]
    whole = {identity for each in complete for identity in each.bundle.identity}
    left_out = [  # of links to some parts of a model that is all there, nothing is missing
        verdict
        for bundle, verdict in verdicts
        if isinstance(verdict, LeftOut) and not (bundle.missing and whole.issuperset(bundle.identity))
    ]
    return complete, [*listing.notes, *left_out]


def models_among(complete: Iterable[Complete]) -> list[Complete]:
    """Each once, the oldest first: a file that comes later takes nobody's name."""
    cards = {each.path: each.card for each in complete if serves(each.card)}
    once = without_doubles(each.bundle for each in complete if each.path in cards)
    models = [Complete(bundle, cards[bundle.first.path]) for bundle in once]
    return sorted(models, key=lambda each: (max(file.changed for file in each.bundle.files), each.path))


def judge(bundle: Bundle, cards: Cards, now: float) -> Card | LeftOut:
    """The first file's card, or what is wrong with one of them."""
    path = bundle.first.path
    if bundle.missing:
        count, missing = len(bundle.files) + len(bundle.missing), listed(bundle.missing)
        why = f"the model has {count} files, and {missing} {'is' if len(bundle.missing) == 1 else 'are'} not there"
        return LeftOut(path, why, any(fresh(file, now) for file in bundle.files))
    for file in bundle.files:
        trouble = wrong(file, cards.get(file.path), now)
        if trouble:
            return LeftOut(file.path, trouble, fresh(file, now) or file.path not in cards)
    card = cards[path]
    assert isinstance(card, Card)
    why = unusable(card)
    return LeftOut(path, why, harmless=True) if why else card


def wrong(file: File, card: Card | Illegible | None, now: float) -> str:
    """One clause; empty where the file is as it should be."""
    if UNFIT.search(file.path):
        return "its path cannot be written into a command"
    if card is None:
        return "it was not looked at yet"
    if isinstance(card, Illegible):
        still = "; it seems to be still on its way" if card.trouble is Trouble.TRUNCATED else ""
        return card.message + still
    length = max(card.length, file.expected)
    if file.size < length:
        return f"of its {length} bytes only {file.size} are there; it seems to be still on its way"
    return "it was written to a moment ago" if fresh(file, now) else ""


def fresh(file: File, now: float) -> bool:
    return abs(now - file.changed) < QUIET


def unusable(card: Card) -> str:
    purpose = card.facts.purpose
    if purpose is Purpose.OTHER:
        return SENTENCES[purpose]
    speaks = purpose in (Purpose.PROJECTOR, Purpose.ADAPTER) or card.facts.vocabulary > 0
    return "" if speaks else "it has no vocabulary, so it is no language model"


def serves(card: Card) -> bool:
    return card.facts.purpose in (Purpose.TEXT, Purpose.EMBEDDING, Purpose.RERANKER)


def stays(model: Found, before: Before, listing: Listing) -> bool:
    """A model that runs does so until it stops; and what cannot be looked at just now is not gone."""
    return model.id in before.in_use or any(under(model.path, folder) for folder in listing.unseen)


def under(path: str, folder: str) -> bool:
    return PurePath(path).is_relative_to(folder)


def put_together(
    models: list[Complete], complete: list[Complete], names: Mapping[str, Name], ids: Mapping[str, str]
) -> list[Found]:
    projectors = {each.path: each for each in complete if each.card.facts.purpose is Purpose.PROJECTOR}
    adapters = {e.bundle.first.folder: e.path for e in complete if e.card.facts.purpose is Purpose.ADAPTER}
    eyes = join(blind(models, names), [projector(each) for each in projectors.values()])
    aliases = give_aliases(names, ids)
    found = []
    for each in models:
        first, seeing = each.bundle.first, projectors.get(eyes.get(each.path, ""))
        size = sum(file.size for file in each.bundle.files)
        model = Found(ids[each.path], first.path, each.card, size, first.shelf, aliases[each.path])
        adapter = adapters.get(first.folder, "") if first.given else ""  # who stores both together means both
        senses = seeing.card.senses if seeing else ()
        found.append(replace(model, projector=seeing.path if seeing else "", senses=senses, adapter=adapter))
    return found


def blind(models: Iterable[Complete], names: Mapping[str, Name]) -> dict[str, Blind]:
    return {
        each.path: Blind(each.bundle.first.folder, names[each.path].base, each.card.facts.name)
        for each in models
        if each.card.facts.purpose is Purpose.TEXT
    }


def projector(each: Complete) -> Projector:
    about, bundle = each.card.facts, each.bundle
    return Projector(each.path, bundle.first.folder, bundle.stem, about.name, about.quantisation)


def unused(extras: Sequence[Complete], found: Iterable[Found]) -> list[LeftOut]:
    """What no model needs. That one of two projectors, or one of two links to it, was taken is no news."""
    used = {path for model in found for path in (model.projector, model.adapter) if path}
    known = {mark for each in extras if each.path in used for mark in marks(each)}
    return [
        LeftOut(each.path, SENTENCES[each.card.facts.purpose], harmless=True)
        for each in extras
        if each.path not in used and not known & marks(each)
    ]


def marks(each: Complete) -> set[object]:
    """Two extras that share one are two ways to the same thing."""
    stem = projector_stem(each.bundle.stem)
    return {each.bundle.identity, (each.bundle.first.folder, "" if stem in GENERIC else stem)}


def listed(names: tuple[str, ...]) -> str:
    """The first of many."""
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
