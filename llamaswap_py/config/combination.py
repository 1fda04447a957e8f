"""The heaviest combination a matrix allows, found without writing the combinations out. Weights in, models out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from llamaswap_py.config.expression import Both, Expression, Name, Use, evaluation_order, parse
from llamaswap_py.config.values import Matrix


class Node(msgspec.Struct, frozen=True, eq=False):
    """A part of an expression with names resolved. `support` has a bit for every model that occurs below."""

    support: int
    parts: tuple[Node, ...] = ()  # none: the model itself
    together: bool = False  # all parts, or one of them


class Found(msgspec.Struct, frozen=True):
    weight: int
    models: int  # as bits
    set: str = ""


class Space:
    """A matrix made ready. Its sets are known to be readable."""

    def __init__(self, matrix: Matrix) -> None:
        self.bits: dict[str, int] = {}
        self.vars = matrix.vars
        expressions = {name: parse(text) for name, text in matrix.sets}
        self.sets: dict[str, Node] = {}
        for name in evaluation_order(expressions):
            self.sets[name] = self.node(expressions[name])

    def node(self, expression: Expression) -> Node:
        if isinstance(expression, Name):
            return Node(self.bit(self.vars.get(expression.name, expression.name)))
        if isinstance(expression, Use):
            return self.sets[expression.name]
        nodes = tuple(self.node(part) for part in expression.parts)
        support = 0
        for each in nodes:
            support |= each.support
        return Node(support, nodes, isinstance(expression, Both))

    def bit(self, model: str) -> int:
        return self.bits.setdefault(model, 1 << len(self.bits))

    def heaviest(self, weights: Mapping[str, int]) -> tuple[int, frozenset[str], str]:
        """The greatest sum of weights that one combination has, which of the weighed models are in it, and its set.
        Of equals the first: sets in evaluation order, alternatives from left to right, the left of `&` slowest."""
        weighed = {self.bits[model]: weight for model, weight in weights.items() if model in self.bits}
        search = Search(weighed)
        best = Found(0, 0)
        for name, node in self.sets.items():
            found = search.best(node)
            if found.weight > best.weight:
                best = Found(found.weight, found.models, name)
        return best.weight, frozenset(model for model in weights if self.bits.get(model, 0) & best.models), best.set


class Search:
    """One question. Only models that weigh something are told apart, and parts of an `&` that share none of them are
    solved each by itself, so the work grows with the text and not with the number of combinations."""

    def __init__(self, weights: Mapping[int, int]) -> None:
        self.weights = weights
        self.relevant = sum(weights)
        self.bests: dict[Node, Found] = {}
        self.families: dict[Node, tuple[int, ...]] = {}

    def best(self, node: Node) -> Found:
        if not node.support & self.relevant:
            return Found(0, 0)
        if not node.parts:
            return Found(self.weights[node.support], node.support)
        known = self.bests.get(node)
        if known is None:
            known = self.best_of_all(node.parts) if node.together else self.best_of_one(node.parts)
            self.bests[node] = known
        return known

    def best_of_one(self, parts: Iterable[Node]) -> Found:
        found = [self.best(part) for part in parts]
        return max(found, key=lambda each: each.weight)  # the first of equals

    def best_of_all(self, parts: Iterable[Node]) -> Found:
        weight = models = 0
        for bundle in self.bundles(parts):
            found = self.best(bundle[0]) if len(bundle) == 1 else self.best_of_bundle(bundle)
            weight += found.weight
            models |= found.models
        return Found(weight, models)

    def bundles(self, parts: Iterable[Node]) -> list[list[Node]]:
        """Parts that share a weighed model, directly or through others, in their order. The first best of the whole
        consists of the first best of each bundle, since a choice in one changes nothing in another."""
        found: list[tuple[int, list[tuple[int, Node]]]] = []
        for number, part in enumerate(parts):
            support = part.support & self.relevant
            if not support:
                continue
            near = [each for each in found if each[0] & support]
            members = [member for _, held in near for member in held]
            for each in near:
                support |= each[0]
            found = [each for each in found if each not in near]
            found.append((support, [*members, (number, part)]))
        return [[node for _, node in sorted(held, key=lambda each: each[0])] for _, held in found]

    def best_of_bundle(self, parts: Sequence[Node]) -> Found:
        """Choice by choice in order, leaving out what cannot beat the best so far or was reached before."""
        families = [self.family(part) for part in parts]
        ahead = [0]  # the most that the parts from here on can add
        for part in reversed(parts):
            ahead.insert(0, ahead[0] + self.best(part).weight)
        best = Found(0, 0)
        reached: set[tuple[int, int]] = set()
        trail = [(0, 0, iter(families[0]))]
        while trail:
            models, weight, options = trail[-1]
            option = next(options, None)
            if option is None:
                trail.pop()
                continue
            depth, grown = len(trail), models | option
            total = weight + self.weight(option & ~models)
            if total + ahead[depth] <= best.weight or (depth, grown) in reached:
                continue
            reached.add((depth, grown))
            if depth == len(parts):
                best = Found(total, grown)
            else:
                trail.append((grown, total, iter(families[depth])))
        return best

    def weight(self, mask: int) -> int:
        total = 0
        while mask:
            lowest = mask & -mask
            total += self.weights[lowest]
            mask ^= lowest
        return total

    def family(self, node: Node) -> tuple[int, ...]:
        """What the weighed models of a combination may be, each once, in the order of first occurrence."""
        if not node.support & self.relevant:
            return (0,)
        if not node.parts:
            return (node.support,)
        known = self.families.get(node)
        if known is None:
            if node.together:
                known = self.joined(node.parts)
            else:
                known = tuple(dict.fromkeys(mask for part in node.parts for mask in self.family(part)))
            self.families[node] = known
        return known

    def joined(self, parts: Iterable[Node]) -> tuple[int, ...]:
        masks: Iterable[int] = (0,)
        for part in parts:
            family = self.family(part)
            masks = dict.fromkeys(mask | other for mask in masks for other in family)
        return tuple(masks)
