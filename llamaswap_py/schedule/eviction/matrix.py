"""Eviction by a matrix: which combinations of models may be up together. The matrix in, a policy out."""

from __future__ import annotations

from llamaswap_py.config.combination import Space
from llamaswap_py.config.values import Matrix
from llamaswap_py.schedule.plan import Evict, Phase, Policy, Verdict, World

UP = (Phase.STARTING, Phase.READY)


def policy(matrix: Matrix) -> Policy:
    space = Space(matrix)

    def verdict(wanted: str, world: World) -> Verdict:
        mine = world.get(wanted)
        if mine is not None and mine.phase in UP:
            return Evict(())  # what is up stays beside it, even where no combination has them all
        weights = {model: matrix.evict_costs.get(model, 1) for model in world if model != wanted}
        # What is pinned weighs more than all the rest: a combination that keeps it is preferred.
        rest = sum(weights.values())
        weights |= {model: rest + 1 for model, row in world.items() if model in weights and row.pinned}
        whole = sum(weights.values())
        # Heavier than all others together: whatever combination has it beats every one that has not.
        weight, stays, _ = space.heaviest(weights | {wanted: whole + 1})
        if weight <= whole:
            stays = frozenset()  # it stands in no combination: it runs alone
        return Evict(tuple(sorted(model for model in weights if model not in stays)))

    return verdict
