"""Eviction by groups: who may be up beside whom. The models' groups in, a policy out."""

from __future__ import annotations

from collections.abc import Sequence

from llamaswap_py.config.values import Group
from llamaswap_py.schedule.plan import Evict, Policy, Verdict, World

# A model in no group (removed from the plan, still serving) stands as the only member of a group with every default.
ALONE = Group(id="", members=())


def policy(groups: Sequence[Group]) -> Policy:
    group_of = {member: group for group in groups for member in group.members}

    def verdict(wanted: str, world: World) -> Verdict:
        mine = group_of.get(wanted, ALONE)
        others = (model for model in world if model != wanted)
        return Evict(tuple(sorted(model for model in others if must_go(group_of.get(model, ALONE), mine))))

    return verdict


def must_go(theirs: Group, mine: Group) -> bool:
    """Whether a member of `theirs` has to be gone before one of `mine` serves."""
    if theirs is mine:
        return mine.swap
    return mine.exclusive and not theirs.persistent
