"""Connections to peers: made once, given up when the entry changes, ended with the program."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs
from msgspec.structs import replace

from llamaswap_py.config.values import Peer
from llamaswap_py.errors import ShuttingDown, UpstreamFailed
from llamaswap_py.runtime.peers import Peers, addressed
from llamaswap_py.wire.headers import UpstreamRequest

BOX = Peer("box", "http://127.0.0.1:9", ("m",), api_key="theirs")


async def test_one_pool_serves_a_peer_as_long_as_its_entry_says_the_same() -> None:
    """A changed entry gets a new one; the old one ends with its last visitor."""
    peers = Peers()
    with peers.visit(BOX) as first:
        with peers.visit(replace(BOX, models=("m", "n"))) as again:
            assert again is first
        with peers.visit(replace(BOX, proxy="http://127.0.0.1:10")) as other:
            assert other is not first
            with pytest.raises(UpstreamFailed):
                await first.take()
    with pytest.raises(ShuttingDown, match="has changed"):
        await first.take()


async def test_an_address_that_is_none_is_told_with_the_peers_name() -> None:
    nowhere = replace(BOX, proxy="box")
    with pytest.raises(UpstreamFailed, match="peer box: its proxy cannot be reached"), Peers().visit(nowhere):
        raise AssertionError("nobody can go there")


@pytest.mark.parametrize("hurried", [False, True])
async def test_who_is_there_may_finish_and_nobody_new_comes_in(hurried: bool) -> None:
    """Unless somebody insists."""
    peers = Peers()
    with peers.visit(BOX) as pool:
        closing = asyncio.create_task(peers.close(3600.0))
        while not peers.closed:
            turn = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(turn.set_result, None)
            await turn
        with pytest.raises(ShuttingDown), peers.visit(BOX):
            raise AssertionError("it is closed")
        assert not closing.done()
        if hurried:
            peers.hurry()
            await closing
    await closing
    with pytest.raises(ShuttingDown):
        await pool.take()


async def test_a_program_without_visitors_closes_at_once() -> None:
    await Peers().close(3600.0)


def test_a_peer_gets_its_own_key_and_nothing_about_the_caller() -> None:
    headers = [("Host", "here"), ("AUTHORIZATION", "mine"), ("x-Api-Key", "mine"), ("Forwarded", "f"), ("X-A", "1")]
    request = UpstreamRequest("POST", "/x", [*headers, ("X-Forwarded-Proto", "h")], b"", "1.2.3.4")
    told = addressed(structs.replace(request, drop=frozenset({"authorization", "x-b"})), BOX)
    assert list(told.headers) == [("X-A", "1"), ("Authorization", "Bearer theirs"), ("x-api-key", "theirs")]
    assert (told.caller_ip, told.drop) == ("", frozenset({"x-b"}))
    assert list(addressed(request, replace(BOX, api_key="")).headers) == [("X-A", "1")]
