"""The matrix in a document: its short names, its sets, and what stopping a model costs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from llamaswap_py.config.expression import Expression, Unreadable, check_uses, names, parse, uses
from llamaswap_py.config.fields import Fields
from llamaswap_py.config.report import closest
from llamaswap_py.config.tree import at, inside
from llamaswap_py.config.values import NOTHING, Matrix

SHORT = re.compile(r"[a-zA-Z0-9.-]{1,32}")


def read_matrix(fields: Fields, model_ids: Collection[str], known: Collection[str]) -> Matrix:
    """`known` are the other names of models, which a matrix does not take."""
    short = read_vars(fields, model_ids, known)
    texts: dict[str, str] = dict(fields.value("sets") or NOTHING)
    if not texts:
        fields.wrong("sets", "a matrix needs a set at least", "Write `name: a & b` below `sets`, or remove the matrix.")
    check_sets(texts, fields, [*short, *model_ids])
    costs = read_costs(fields, short, model_ids)
    return Matrix(tuple(texts.items()), MappingProxyType(short), MappingProxyType(costs))


def read_costs(fields: Fields, short: Mapping[str, str], model_ids: Collection[str]) -> dict[str, int]:
    """By model id. What is said by id is stronger than what is said by short name."""
    written: Mapping[str, int] = fields.value("evict_costs") or NOTHING
    costs: dict[str, int] = {}
    for name, cost in written.items():
        if name in short:
            costs.setdefault(short[name], cost)
        elif name in model_ids:
            costs[name] = cost
        else:
            tell_unknown(fields, "evict_costs", name, [*short, *model_ids])
    return costs


def read_vars(fields: Fields, model_ids: Collection[str], known: Collection[str]) -> dict[str, str]:
    short: dict[str, str] = dict(fields.value("vars") or NOTHING)
    for name, model in short.items():
        if not SHORT.fullmatch(name):
            remedy = "Use letters, digits, `-` and `.`, at most 32."
            tell(fields, "vars", name, f"`{name}` cannot be a short name", remedy)
        if model not in model_ids:
            near = closest(model, model_ids)
            remedy = f"Did you mean `{near[0]}`?" if near else "Add the model, or remove the short name."
            if model in known:
                remedy = "Write the model's id: other names are not taken here."
            tell(fields, "vars", name, f"there is no model `{model}`", remedy)
    return short


def check_sets(texts: dict[str, str], fields: Fields, words: Collection[str]) -> None:
    sets: dict[str, Expression] = {}
    for name, text in texts.items():
        try:
            sets[name] = parse(text)
        except Unreadable as mistake:
            tell(fields, "sets", name, mistake.message, mistake.remedy)
    for name, expression in sets.items():
        for unknown in dict.fromkeys(each for each in names(expression) if each not in words):
            tell_unknown(fields, "sets", unknown, words, name)
        for unknown in dict.fromkeys(each for each in uses(expression) if each not in texts):
            near = closest(unknown, texts)
            remedy = f"Did you mean `+{near[0]}`?" if near else "Add the set, or remove the use."
            tell(fields, "sets", name, f"there is no set `{unknown}`", remedy)
    try:
        check_uses(sets)
    except Unreadable as mistake:
        tell(fields, "sets", mistake.name, mistake.message, mistake.remedy)


def tell_unknown(fields: Fields, section: str, unknown: str, words: Collection[str], name: str = "") -> None:
    near = closest(unknown, words)
    remedy = f"Did you mean `{near[0]}`?" if near else "Write a model's id, or a short name from `vars`."
    tell(fields, section, name or unknown, f"`{unknown}` is neither a model nor a short name", remedy)


def tell(fields: Fields, section: str, name: str, message: str, remedy: str) -> None:
    """At the entry's value."""
    node = at(fields.get(section), name)
    assert node  # it was read from there
    fields.report.wrong(node.place, inside(inside(fields.path, section), name), message, remedy)
