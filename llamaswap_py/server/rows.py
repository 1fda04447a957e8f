"""One model's row for the Models view, made of what the house knows of it. Values in, a row out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import msgspec

from llamaswap_py.config.values import Config, Peer
from llamaswap_py.library.described import SAID_NOTHING, UNKNOWN, Described, Said
from llamaswap_py.runtime.runs import LAST_OUTPUT
from llamaswap_py.runtime.standings import Standing as Known
from llamaswap_py.schedule.explain import explained
from llamaswap_py.schedule.lives import Life
from llamaswap_py.schedule.orders import Decision
from llamaswap_py.schedule.plan import FALLEN, Phase
from llamaswap_py.server.abilities import flags
from llamaswap_py.server.control import load_row

if TYPE_CHECKING:
    from llamaswap_py.server.shapes.models import Evicted, Group, MatrixSet, Rules, Standing, State, Waiting


class Beside(msgspec.Struct, frozen=True):
    """What is known of a model beside its standing."""

    said: Said = SAID_NOTHING
    described: Described = UNKNOWN
    memory: int = 0
    speed: float | None = None
    waiting: Sequence[Waiting] = ()
    makes_room: Sequence[str] = ()
    found: bool = False  # on disk
    group: str = ""


def state_of(known: Known) -> State:
    if known.disabled:
        return "disabled"
    return "leaked" if known.leaked else known.phase.value


def row(known: Known, life: Life | None, beside: Beside, offset: float) -> Standing:
    """`offset`: from loop times to unix seconds."""
    model, said, described = known.model, beside.said, beside.described
    why, _, output = known.why.partition(LAST_OUTPUT)
    return {
        **bare(model.id),
        "name": model.name,
        "description": model.description,
        "aliases": list(model.aliases),
        "unlisted": model.unlisted,
        "capabilities": flags(model.capabilities),
        "found": beside.found,
        "state": state_of(known),
        "since": wall(life.since, offset) if life and life.since else None,
        "why": why,
        "last_output": output.splitlines(),
        "retry_at": wall(life.failures.until, offset) if life and life.phase in FALLEN else None,
        "ordered": life is not None and life.wanted is not None and known.phase is not Phase.STARTING,
        "loading": load_row(known.loading) if known.loading else None,
        "pid": known.pid,
        "leaked": list(known.leaked),
        "address": "" if known.disabled or (known.pid is None and "${PORT}" in model.proxy) else model.proxy,
        "memory": beside.memory if known.pid is not None else 0,
        "context": said.context or model.capabilities.context or described.trained_context,
        "trained_context": described.trained_context,
        "architecture": described.architecture,
        "quantisation": described.quantisation or said.quantisation,
        "parameters": described.parameters,
        "size": described.size,
        "speed": beside.speed,
        "ttl": model.ttl,
        "idle_at": wall(life.idle_at(), offset) if life else None,
        "seated": known.seated,
        "seats": model.seats,
        "waiting": list(beside.waiting),
        "pinned": known.pinned,
        "evicted": evicted(known.evicted, offset),
        "group": beside.group,
        "makes_room": list(beside.makes_room),
    }


def bare(name: str) -> Standing:
    """Of a model of which nothing is known but its name."""
    return {
        "id": name,
        "name": "",
        "description": "",
        "aliases": [],
        "unlisted": False,
        "peer": "",
        "found": False,
        "capabilities": {},
        "state": "remote",
        "since": None,
        "why": "",
        "last_output": [],
        "retry_at": None,
        "ordered": False,
        "loading": None,
        "pid": None,
        "leaked": [],
        "address": "",
        "memory": 0,
        "context": 0,
        "trained_context": 0,
        "architecture": "",
        "quantisation": "",
        "parameters": 0,
        "size": 0,
        "speed": None,
        "ttl": 0.0,
        "idle_at": None,
        "seated": 0,
        "seats": None,
        "waiting": [],
        "pinned": False,
        "evicted": None,
        "group": "",
        "makes_room": [],
    }


def remote_rows(peers: Iterable[Peer]) -> list[Standing]:
    return [{**bare(f"{peer.id}/{model}"), "peer": peer.id} for peer in peers for model in peer.models]


def wall(moment: float, offset: float) -> float | None:
    """None for a time that does not come."""
    return None if math.isinf(moment) else round(moment + offset, 2)


def evicted(decision: Decision | None, offset: float) -> Evicted | None:
    if decision is None:
        return None
    return cast("Evicted", {**explained(decision), "at": round(decision.at + offset, 2)})


def group_names(config: Config) -> Mapping[str, str]:
    return {member: group.id for group in config.groups for member in group.members}


def rules(config: Config) -> Rules:
    """Who may be up beside whom."""
    groups: list[Group] = [
        {
            "id": each.id,
            "members": list(each.members),
            "swap": each.swap,
            "exclusive": each.exclusive,
            "persistent": each.persistent,
        }
        for each in config.groups
    ]
    matrix = config.matrix
    sets: list[MatrixSet] = [{"name": name, "expression": text} for name, text in matrix.sets] if matrix else []
    names = dict(matrix.vars) if matrix else {}
    return {"kind": "matrix" if matrix else "groups", "groups": groups, "sets": sets, "names": names}
