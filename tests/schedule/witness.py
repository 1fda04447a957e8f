"""Watches a scheduler from outside and names every broken promise."""

from __future__ import annotations

from llamaswap_py.schedule.facts import (
    Fact,
    Gone,
    Left,
    Ready,
    Woke,
)
from llamaswap_py.schedule.orders import Order
from llamaswap_py.schedule.plan import Phase
from tests.schedule.books import Books, expect
from tests.schedule.checks import check_answers, check_books, check_grants, check_moves, check_times, check_turns
from tests.schedule.hearing import told
from tests.schedule.obeying import ordered


class Witness(Books):
    def tell(self, fact: Fact) -> list[Order]:
        self.steps += 1
        fresh = told(self, fact)
        self.granted.clear()
        self.orders = self.scheduler.handle(fact, self.now)
        for order in self.orders:
            ordered(self, order, fact, fresh)
        self.forget_impossible_wants()
        check_grants(self, fact)
        check_turns(self, fact)
        check_answers(self, fact, fresh)
        check_books(self)
        check_times(self, fact)
        self.check_progress()
        return self.orders

    def drain(self) -> None:
        """Let everything that is on its way arrive; then everybody must have had an answer."""
        for _ in range(20 + 10 * (len(self.here) + len(self.alive) + len(self.wants))):
            if not self.waiting and not self.wants:
                break
            self.let_happen()
        expect(not self.waiting, "everyone is answered", f"{list(self.waiting)} wait for ever")
        expect(not self.wants, "everyone is answered", f"loads of {list(self.wants)} are forgotten")
        for ticket in tuple(self.here):
            self.tell(Left(ticket))

    def let_happen(self) -> None:
        """The longer nothing else can happen, the further the clock goes."""
        seated, alive = tuple(self.seated), tuple(self.alive.values())
        deadline = self.scheduler.deadline(self.now)
        for ticket in seated:
            self.tell(Left(ticket))
        for run in alive:
            if self.alive.get(run.model) is not run:
                continue
            if run.phase is Phase.STARTING:
                self.tell(Ready(run.model, run.number))
            elif run.phase is Phase.STOPPING:
                self.tell(Gone(run.model, run.number))
        if not seated and deadline is not None:
            self.now = deadline
            self.tell(Woke())

    def check_progress(self) -> None:
        check_moves(self)
