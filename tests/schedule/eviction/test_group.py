"""The group policy: who must be gone before a model serves."""

from __future__ import annotations

import pytest

from llamaswap_py.config.values import DEFAULT_GROUP, Group
from llamaswap_py.schedule.eviction.group import policy
from llamaswap_py.schedule.plan import Evict, Phase, Row

SWAP = Group("swap", ("s1", "s2"))
TEAM = Group("team", ("t1", "t2"), swap=False)
GUEST = Group("guest", ("g1", "g2"), exclusive=False)
FIXED = Group("fixed", ("f1", "f2"), swap=False, exclusive=False, persistent=True)
GROUPS = (SWAP, TEAM, GUEST, FIXED)


def evicted(wanted: str, *up: str) -> tuple[str, ...]:
    world = {model: Row(model, Phase.READY, 0, 0, 0.0, 0.0) for model in up}
    verdict = policy(GROUPS)(wanted, world)
    assert isinstance(verdict, Evict)
    return verdict.models


@pytest.mark.parametrize(
    ("wanted", "up", "gone"),
    [
        ("s1", ("s2",), ("s2",)),  # one member at a time
        ("s1", ("s1",), ()),  # never itself
        ("t1", ("t2",), ()),  # a group without swap holds all its members
        ("s1", ("t2", "g1", "t1"), ("g1", "t1", "t2")),  # exclusive: other groups go, in the order of names
        ("s1", ("f1", "f2"), ()),  # but persistent ones stay
        ("g1", ("s1", "t1", "f1"), ()),  # not exclusive: other groups stay, even exclusive ones
        ("g1", ("g2",), ("g2",)),  # its own group's rule holds all the same
        ("f1", ("f2", "s1"), ()),
        ("s1", ("removed",), ("removed",)),  # a model no longer configured makes room
        ("g1", ("removed",), ()),
        ("removed", ("s1", "other", "f1"), ("other", "s1")),
    ],
)
def test_groups_say_who_goes(wanted: str, up: tuple[str, ...], gone: tuple[str, ...]) -> None:
    assert evicted(wanted, *up) == gone


def test_the_default_group_holds_one_model_at_a_time() -> None:
    world = {"b": Row("b", Phase.STARTING, 0, 0, 0.0, 0.0)}
    assert policy([Group(DEFAULT_GROUP, ("a", "b"))])("a", world) == Evict(("b",))
