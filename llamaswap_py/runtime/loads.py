"""Whoever ordered a load waits here until it is ready, failed, or given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llamaswap_py.errors import Refusal, UnknownModel, Unloaded
from llamaswap_py.schedule.lives import Sight
from llamaswap_py.schedule.plan import Phase


class Loads:
    def __init__(self) -> None:
        self.waiting: dict[str, list[asyncio.Future[None]]] = {}

    def order(self, model: str) -> asyncio.Future[None]:
        """A future that is done when the load is; whoever drops it is forgotten."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(model, []).append(waiter)
        return waiter

    def settle(self, model: str, refusal: Refusal | None) -> None:
        for waiter in self.waiting.pop(model, ()):
            if waiter.done():
                continue
            if refusal is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(refusal)

    def settle_all(self, refusal: Refusal) -> None:
        for model in tuple(self.waiting):
            self.settle(model, refusal)

    def review(self, sight_of: Callable[[str], Sight | None]) -> None:
        """After news that no run brings, an order or a new plan: nobody waits for what will not come any more."""
        for model in tuple(self.waiting):
            sight = sight_of(model)
            if sight is None:
                self.settle(model, UnknownModel(f"model {model} was removed from the configuration"))
            elif sight.wanted or sight.phase in (Phase.STARTING, Phase.STOPPING):
                continue  # it will come, or its run's end says more
            elif sight.phase is Phase.READY:
                self.settle(model, None)
            else:
                self.settle(model, Unloaded(f"model {model} is not loaded: the configuration leaves no room for it"))

    def ended(self, model: str, why: Refusal | None, sight: Sight | None) -> None:
        """A run is over. A load that is still to come (its model was stopping when it was ordered, or is tried again)
        waits on."""
        if sight is not None and (sight.wanted or sight.phase is Phase.STARTING):
            return
        self.settle(model, why or Unloaded(f"model {model} was stopped before it was ready"))
