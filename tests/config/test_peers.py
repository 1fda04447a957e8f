"""Peers and the names of their models."""

from __future__ import annotations

import pytest

from llamaswap_py.config.values import Filters, Peer, Remote, Timeouts
from tests.config.reading import config, mistake, warning


def test_a_peer_says_what_its_keys_say() -> None:
    text = """
    peers:
      box:
        proxy: http://box:8080
        apiKey: ${env.KEY}
        models: [a, org/b, a]
        filters: {stripParams: x, setParamsByID: {a: {y: 1}}}
        timeouts: {connect: 5}
    """
    peer = Peer(
        "box",
        "http://box:8080",
        ("a", "org/b"),
        "secret",
        Filters(("x",), {}, {"a": {"y": 1}}),
        Timeouts(connect=5, response_header=60),
    )
    found = config(text, {"KEY": "secret"})
    assert found.peers == {"box": peer}
    assert found.remotes == {
        "box/a": Remote("box", "a"),
        "box/org/b": Remote("box", "org/b"),
        "a": Remote("box", "a"),
        "org/b": Remote("box", "org/b"),
    }


def test_a_bare_name_belongs_to_the_only_peer_that_has_it_and_a_full_name_is_stronger() -> None:
    text = """
    peers:
      p: {proxy: "http://p", models: [x, both]}
      q: {proxy: "http://q", models: [both, p/x]}
    """
    assert dict(config(text).remotes) == {
        "p/x": Remote("p", "x"),
        "p/both": Remote("p", "both"),
        "q/both": Remote("q", "both"),
        "q/p/x": Remote("q", "p/x"),
        "x": Remote("p", "x"),
    }


@pytest.mark.parametrize(
    ("peer", "key", "message"),
    [
        ("{models: [a]}", "peers.p.proxy", "the peer has no address"),
        ("{proxy: ' ', models: [a]}", "peers.p.proxy", "the peer has no address"),
        ("{proxy: 'http://h'}", "peers.p.models", "the peer needs a model at least"),
        ("{proxy: 'http://h', models: []}", "peers.p.models", "the peer needs a model at least"),
        ("{proxy: 'http://h:x', models: [a]}", "peers.p.proxy", "this is not an address: "),
    ],
)
def test_a_peer_needs_an_address_and_models(peer: str, key: str, message: str) -> None:
    found = mistake(f"peers: {{p: {peer}}}")
    assert found.key == key
    assert found.message.startswith(message)
    assert found.line == 1


def test_an_address_that_leads_nowhere_is_told() -> None:
    assert "nothing can be reached" in warning("peers: {p: {proxy: h, models: [a]}}").message


def test_two_peers_must_not_make_one_name() -> None:
    found = mistake("peers: {a: {proxy: 'http://h', models: [b/c]}, a/b: {proxy: 'http://h', models: [c]}}")
    assert found.message == "`a/b/c` would be `b/c` of the peer `a` too"


@pytest.mark.parametrize("model", ["p/x: {cmd: '${PORT}'}", "m: {cmd: '${PORT}', aliases: [p/x]}"])
def test_nothing_here_is_called_like_a_peers_model(model: str) -> None:
    found = mistake(f"models: {{{model}}}\npeers: {{p: {{proxy: 'http://h', models: [x]}}}}")
    assert found.key == "peers.p"
    assert found.message.startswith("`p/x` is a name of the model")


def test_a_bare_name_may_be_a_models_here() -> None:
    found = config("models: {x: {cmd: '${PORT}'}}\npeers: {p: {proxy: 'http://h', models: [x]}}")
    assert found.names["x"] == "x"
