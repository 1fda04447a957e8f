"""Other servers whose models are offered here, and the names these go by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from llamaswap_py.config.fields import Fields
from llamaswap_py.config.report import Report
from llamaswap_py.config.rules import read_filters, read_timeouts
from llamaswap_py.config.tree import Place, inside
from llamaswap_py.config.values import Peer, Remote


def read_peers(document: Fields) -> Mapping[str, Peer]:
    entries = document.named("peers")
    peers = {}
    for peer_id, node in entries.entries.items():
        fields = Fields(node, "peers.*", inside("peers", peer_id), document.report)
        peers[peer_id] = read_peer(peer_id, fields, entries.keys[peer_id])
    return MappingProxyType(peers)


def read_peer(peer_id: str, fields: Fields, place: Place) -> Peer:
    peer = Peer(
        id=peer_id,
        proxy=fields.value("proxy"),
        models=tuple(dict.fromkeys(filter(None, fields.value("models")))),
        api_key=fields.value("apiKey"),
        filters=read_filters(
            Fields(fields.get("filters"), "models.*.filters", inside(fields.path, "filters"), fields.report)
        ),
        timeouts=read_timeouts(fields.child("timeouts")),
    )
    if not peer.models:
        need(fields, "models", place, "the peer needs a model at least", "List its models: `models: [name]`.")
    if not peer.proxy.strip():
        need(fields, "proxy", place, "the peer has no address", "Write `proxy: http://host:port`.")
    else:
        check_address(fields, peer)
    return peer


def need(fields: Fields, name: str, place: Place, message: str, remedy: str) -> None:
    """What is missing is told at the peer's name."""
    node = fields.get(name)
    fields.report.wrong(node.place if node else place, inside(fields.path, name), message, remedy)


def check_address(fields: Fields, peer: Peer) -> None:
    remedy = "Write it as http://host:port."
    try:
        address = urlsplit(peer.proxy)
        port = address.port
    except ValueError as error:
        fields.wrong("proxy", f"this is not an address: {error}", remedy)
        return
    if address.scheme not in ("http", "https") or not address.hostname or port == 0:
        fields.warn("proxy", f"nothing can be reached at `{peer.proxy}`", remedy)


def remotes(peers: Mapping[str, Peer], places: Mapping[str, Place], report: Report) -> dict[str, Remote]:
    """Every name a peer's model has: `<peer>/<model>` always, the bare one where a single peer has it and it is
    nobody's full name."""
    full: dict[str, Remote] = {}
    for peer in peers.values():
        for model in peer.models:
            name = f"{peer.id}/{model}"
            if name in full:
                other = full[name]
                message = f"`{name}` would be `{other.model}` of the peer `{other.peer}` too"
                report.wrong(places[peer.id], f"peers.{peer.id}.models", message, "Rename one of the two peers.")
            full[name] = Remote(peer.id, model)
    offers = Counter(model for peer in peers.values() for model in peer.models)
    bare = {
        model: Remote(peer.id, model)
        for peer in peers.values()
        for model in peer.models
        if offers[model] == 1 and model not in full
    }
    return full | bare
