"""How much was heard on a connection to a server, by whoever reads there."""

from __future__ import annotations

from typing import Protocol


class Carrier(Protocol):
    """Who reads in the loop's place, and carries what comes to where it belongs."""

    @property
    def sent(self) -> int:
        """Grows with every piece that came."""

    def end(self) -> None:
        """To call `take_back`."""


class Hearing:
    __slots__ = ("_carrier", "pieces")

    def __init__(self) -> None:
        self.pieces = 0  # that the loop read
        self._carrier: Carrier | None = None

    @property
    def amount(self) -> int:
        """Grows with every piece that comes; a count of nothing else."""
        return self.pieces + (self._carrier.sent if self._carrier is not None else 0)

    def hand_over(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def take_back(self) -> None:
        self.pieces, self._carrier = self.amount, None

    def stand_alone(self) -> None:
        """From now on nobody carries anything on."""
        if self._carrier is not None:
            self._carrier.end()
