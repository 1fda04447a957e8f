"""What a save says of its reload."""

from __future__ import annotations

import pytest

from llamaswap_py.config.values import Config
from llamaswap_py.server.configuration.saving import Taken, in_all


def test_what_a_watcher_of_the_files_brought_into_force_before_the_order_counts() -> None:
    assert in_all(Taken("unchanged"), Config({}), Config({})) == Taken("loaded")


@pytest.mark.parametrize("state", ["loaded", "unchanged", "refused", "failed", "underway"])
def test_else_it_is_what_came_of_the_order(state: str) -> None:
    before = Config({})
    taken = Taken(state, ("a mistake",))
    assert in_all(taken, before, before) is taken
    if state != "unchanged":
        assert in_all(taken, before, Config({})) is taken
