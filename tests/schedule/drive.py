"""A plain random driver: many more steps a second than Hypothesis does, and a seed to find them again."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from llamaswap_py.schedule.plan import Plan
from tests.schedule.books import Scheduling
from tests.schedule.player import MOVES, WEIGHTS, Player
from tests.schedule.witness import Witness

LIFE = 120  # moves in one life: long enough for patience, backoff and several plans


def drive(make: Callable[[Plan], Scheduling], seed: int, steps: int, watch: type[Witness] = Witness) -> int:
    """Live at least so many steps; says how many. A broken promise raises, with the seed of its life in a note."""
    done = 0
    while done < steps:
        try:
            done += live(make, seed, watch)
        except Exception as problem:
            problem.add_note(f"seed of this life: {seed}")
            raise
        seed += 1
    return done


def live(make: Callable[[Plan], Scheduling], seed: int, watch: type[Witness] = Witness) -> int:
    random = Random(seed)
    player = Player(random.choice, make, watch)
    for move in random.choices(MOVES, WEIGHTS, k=LIFE):
        move(player, random.choice)
    player.end()
    return player.witness.steps
