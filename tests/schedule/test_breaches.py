"""The watchers are watched: each promise, broken on purpose, is caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamaswap_py.schedule.facts import Asked
from llamaswap_py.schedule.scheduler import Scheduler
from llamaswap_py.schedule.simulate import Arrival, Pace, Simulation, waits
from tests.schedule.books import Breach as Caught
from tests.schedule.breaches import BREACHES, STANDS_STILL, STARVES, Breach, breed
from tests.schedule.drive import LIFE, drive, live
from tests.schedule.story import plan
from tests.schedule.witness import Witness
from tests.untraced import untraced

SEED = 1  # the lives are the same in every run, so that what is caught once stays caught
STEPS = 240_000  # most are caught in the first thousand, what needs a rare coincidence much later


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: f"{breach.promise}: {breach.words[:40]}")
def test_a_broken_promise_is_caught(breach: Breach, tmp_path: Path) -> None:
    assert breach.promise in named(breed(breach, tmp_path), breach.promise)


def named(make: type[Scheduler], wanted: str) -> set[str]:
    """The promises that lives find broken, until the wanted one is among them: another may be the first to show."""
    found: set[str] = set()
    steps, seed = 0, SEED
    with untraced():
        while wanted not in found and steps < STEPS:
            try:
                steps += live(make, seed)
            except Caught as caught:
                found.add(caught.promise)
                steps += LIFE
            seed += 1
    return found


class Patient(Witness):
    """Looks at the end only: does not mind that nothing moves on the way."""

    def check_progress(self) -> None:
        pass


def test_who_is_never_answered_is_noticed_at_the_end(tmp_path: Path) -> None:
    with pytest.raises(Caught) as caught:
        drive(breed(STANDS_STILL, tmp_path), SEED, STEPS, Patient)
    assert caught.value.promise == STANDS_STILL.promise


def longest_wait(scheduler: Scheduler) -> float:
    """a is asked all the time; b once, and excludes it."""
    arrivals = [Arrival(5.0, "b", 1.0), *(Arrival(n * 2.0, "a", 8.0) for n in range(200))]
    simulation = Simulation(scheduler, {"a": Pace(), "b": Pace()}, {n: a.answer for n, a in enumerate(arrivals)})
    for ticket, arrival in enumerate(arrivals):
        simulation.expect(arrival.at, Asked(ticket, arrival.model))
    simulation.run()
    return max(waits(simulation.story).values())


def test_starvation_is_noticed_in_simulated_time(tmp_path: Path) -> None:
    assert longest_wait(Scheduler(plan(patience=30.0))) <= 30.0 + 8.0 + 2.0
    assert longest_wait(breed(STARVES, tmp_path)(plan(patience=30.0))) > 300.0
