"""Every promise of the scheduler over random lives: Hypothesis to find and shrink, a plain driver for numbers."""

from __future__ import annotations

import os
import sys
from random import SystemRandom
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from llamaswap_py.schedule.scheduler import Scheduler
from tests.schedule.drive import drive
from tests.schedule.player import Dice, Player

DEEP = os.environ.get("LLAMASWAP_TEST_PROFILE") == "deep"
DRIVEN = 1_000_000 if DEEP else 3_000  # the promise of the project; about a second in every run
LIVES = (
    settings(max_examples=2000, stateful_step_count=80) if DEEP else settings(max_examples=25, stateful_step_count=30)
)

told: list[int] = []  # steps of each life that Hypothesis played


def dice(data: st.DataObject) -> Dice:
    def roll(choices: Any) -> Any:
        return choices[data.draw(st.integers(0, len(choices) - 1))]

    return roll


class Lives(RuleBasedStateMachine):
    player: Player

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.player = Player(dice(data), Scheduler)

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        self.player.ask(dice(data))

    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        self.player.ask(dice(data))

    @precondition(lambda self: self.player.witness.here)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.player.leave(dice(data))

    @precondition(lambda self: self.player.witness.alive)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        self.player.finish(dice(data))

    @precondition(lambda self: self.player.witness.alive)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        self.player.fail(dice(data))

    @precondition(lambda self: self.player.witness.alive)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        self.player.crash(dice(data))

    @rule(data=st.data())
    def order(self, data: st.DataObject) -> None:
        dice(data)((Player.load, Player.unload, Player.reset, Player.tell_late))(self.player, dice(data))

    @rule(data=st.data())
    def replan(self, data: st.DataObject) -> None:
        self.player.replan(dice(data))

    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        self.player.close(dice(data))

    @rule(data=st.data())
    def wake(self, data: st.DataObject) -> None:
        self.player.wake(dice(data))

    @rule(data=st.data())
    def pass_time(self, data: st.DataObject) -> None:
        self.player.pass_time(dice(data))

    def teardown(self) -> None:
        if hasattr(self, "player"):
            self.player.end()
            told.append(self.player.witness.steps)


def test_every_promise_holds_over_lives_that_hypothesis_plays() -> None:
    told.clear()
    run_state_machine_as_test(Lives, settings=LIVES)
    say(f"{sum(told)} steps played by Hypothesis in {len(told)} lives")


@pytest.mark.fault("F2", "F3", "F4", "F5")
def test_every_promise_holds_over_many_random_steps() -> None:
    seed = SystemRandom().randrange(10**9)
    say(f"{drive(Scheduler, seed, DRIVEN)} random steps, from seed {seed}")


def say(sentence: str) -> None:
    sys.stdout.write(f"\n{sentence}\n")
