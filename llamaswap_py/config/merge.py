"""Several files made one tree: mappings are joined, lists are appended, what two files say differently is a mistake."""

from __future__ import annotations

from collections.abc import Iterable

from llamaswap_py.config.report import Report
from llamaswap_py.config.tree import List, Map, Node, Place, Plain, Scalar, inside, kind

# A name under these is one thing, defined in one file; it is never put together from two.
IDENTITIES = frozenset(
    {
        "models",
        "groups",
        "profiles",
        "selectors",
        "peers",
        "matrix",
        "routing.router.settings.groups",
        "routing.router.settings.matrix",
    }
)


def merge(trees: Iterable[Node], report: Report) -> Map:
    """The files' documents in their order. A conflict is told at the later file's place and the earlier value stays."""
    whole = Map({}, {}, Place("", 0, 0))
    for tree in trees:
        if isinstance(tree, Map):
            whole = join_maps(whole, tree, "", report)
        else:
            remedy = "Start it with keys such as `models:`."
            report.wrong(tree.place, "", f"the file must hold a mapping, and this is {kind(tree)}", remedy)
    return whole


def join(old: Node, new: Node, path: str, report: Report) -> Node:
    if path in IDENTITIES and not (isinstance(old, Map) and isinstance(new, Map)):
        odd = new if isinstance(old, Map) else old
        remedy = "Write its entries below it, or remove it from one of the files."
        report.wrong(odd.place, path, f"two files set this, and {described(odd)} stands here", remedy)
        return old
    if blank(new):
        return old
    if blank(old):
        return new
    if isinstance(old, Map) and isinstance(new, Map):
        return join_maps(old, new, path, report)
    if isinstance(old, List) and isinstance(new, List):
        return List((*old.items, *new.items), old.place)
    if not (isinstance(old, Scalar) and isinstance(new, Scalar) and same(old.value, new.value)):
        remedy = "Keep it in one of the two files."
        report.wrong(new.place, path, f"{old.place.file}:{old.place.line} sets this differently", remedy)
    return old


def join_maps(old: Map, new: Map, path: str, report: Report) -> Map:
    entries, keys = dict(old.entries), dict(old.keys)
    for name, value in new.entries.items():
        key = inside(path, name)
        if name not in entries:
            entries[name], keys[name] = value, new.keys[name]
        elif path in IDENTITIES:
            first = keys[name]
            remedy = "Keep it in one of the two files, or rename one."
            report.wrong(new.keys[name], key, f"this is already defined in {first.file}:{first.line}", remedy)
        else:
            entries[name] = join(entries[name], value, key, report)
    place = old.place if old.place.line else new.place
    return Map(entries, keys, place)


def blank(node: Node) -> bool:
    return isinstance(node, Scalar) and node.blank


def same(old: Plain, new: Plain) -> bool:
    return type(old) is type(new) and old == new


def described(node: Node) -> str:
    return "nothing" if blank(node) else kind(node)
