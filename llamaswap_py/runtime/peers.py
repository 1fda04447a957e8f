"""Connections to peers: one pool for each, made when the first request goes there. Nothing is started or stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from msgspec.structs import replace

from llamaswap_py.config.values import Peer, Timeouts
from llamaswap_py.errors import ShuttingDown, UpstreamFailed
from llamaswap_py.runtime.pool import Pool
from llamaswap_py.wire.address import Address
from llamaswap_py.wire.headers import UpstreamRequest

# The caller's key is ours or the caller's own: it is no peer's business, whatever its rules are.
KEYS = frozenset({"authorization", "x-api-key"})
ABOUT_CALLER = frozenset({"host", "forwarded"})


class Place(msgspec.Struct, eq=False):
    """Where a peer is, as long as its entry says so."""

    entry: tuple[str, Timeouts]
    pool: Pool
    visitors: int = 0
    left: bool = False  # the entry has changed: closed after its last visitor


class Peers:
    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self.visitors = 0
        self.closed = False
        self.drained = asyncio.Event()

    @contextmanager
    def visit(self, peer: Peer) -> Iterator[Pool]:
        if self.closed:
            raise ShuttingDown("the proxy is shutting down")
        place = self.place(peer)
        place.visitors += 1
        self.visitors += 1
        try:
            yield place.pool
        finally:
            place.visitors -= 1
            self.visitors -= 1
            self.look_after(place)

    def place(self, peer: Peer) -> Place:
        entry = peer.proxy, peer.timeouts
        place = self.places.get(peer.id)
        if place is None or place.entry != entry:
            fresh = Place(entry, Pool(address_of(peer), timeouts=peer.timeouts))
            if place is not None:
                place.left = True
                self.look_after(place)
            self.places[peer.id] = place = fresh
        return place

    def look_after(self, place: Place) -> None:
        if place.left and not place.visitors:
            place.pool.close(ShuttingDown("the peer's entry in the configuration has changed"))
        if self.closed and not self.visitors:
            self.drained.set()

    async def close(self, grace: float) -> None:
        """Nobody new; who is there may finish within the grace, unless hurried."""
        self.closed = True
        if self.visitors:
            enough = asyncio.get_running_loop().call_later(grace, self.drained.set)
            await self.drained.wait()
            enough.cancel()
        for place in self.places.values():
            place.pool.close(ShuttingDown("the proxy is shutting down"))

    def hurry(self) -> None:
        self.drained.set()


def address_of(peer: Peer) -> Address:
    try:
        return Address.parse(peer.proxy)
    except ValueError as error:
        why = f"peer {peer.id}: its proxy cannot be reached: {error}. Write it as http://host:port"
        raise UpstreamFailed(why) from error


def addressed(request: UpstreamRequest, peer: Peer) -> UpstreamRequest:
    """The request as the peer shall see it: with its own key, and without a word about who asks us."""
    kept = [field for field in request.headers if goes_on(field[0].lower())]
    if peer.api_key:
        kept += [("Authorization", f"Bearer {peer.api_key}"), ("x-api-key", peer.api_key)]
    return replace(request, headers=kept, caller_ip="", drop=request.drop - KEYS, repeated=False)


def goes_on(name: str) -> bool:
    return name not in KEYS and name not in ABOUT_CALLER and not name.startswith("x-forwarded-")
