"""What `/api/events` says, as bytes: llama-swap's six messages in its framing, and ours under event names of their own.

Functions over values; who gets them and when is the audience's business."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from llamaswap_py.config.values import Peer
from llamaswap_py.runtime.feed import ConfigLoaded, ConfigRefused, LoadProgressed, ModelChanged
from llamaswap_py.runtime.standings import Standing as Known
from llamaswap_py.schedule.plan import FALLEN, Phase
from llamaswap_py.server.abilities import flags
from llamaswap_py.server.control import load_row

if TYPE_CHECKING:
    from llamaswap_py.server.shapes.machine import Sample
    from llamaswap_py.server.shapes.models import Rules, Standing
    from llamaswap_py.server.shapes.requests import Activity, Flying

encode = msgspec.json.encode


def framed(kind: str, data: object, event: str = "message", name: str = "") -> bytes:
    """One event: JSON whose `data` is a text that is JSON again. `name` is what a page sends back to resume."""
    inner = encode(data).decode()
    mark = f"id:{name}\n" if name else ""
    return b"%bevent:%b\ndata:%b\n\n" % (mark.encode(), event.encode(), encode({"type": kind, "data": inner}))


# -- llama-swap's


def log_data(source: str, text: str) -> bytes:
    return framed("logData", {"data": text, "source": source})


def lost_log_data(topic: str, lost: int) -> bytes:
    source = topic.rpartition(" ")[2]
    return log_data(source, f"\n— {lost} bytes dropped —\n")


def model_status(standings: Iterable[Known], peers: Iterable[Peer] = ()) -> bytes:
    """Models here by id, then those of peers, whose state nobody knows."""
    rows = sorted((status_row(standing) for standing in standings), key=lambda row: str(row["id"]).encode())
    rows += [peer_row(peer, model) for peer in peers for model in peer.models]
    return framed("modelStatus", rows)


def peer_row(peer: Peer, model: str) -> dict[str, object]:
    full = f"{peer.id}/{model}"
    return {"id": full, "name": "", "description": "", "state": "", "unlisted": False, "peerID": peer.id}


def status_row(standing: Known) -> dict[str, object]:
    model = standing.model
    # A failed model is a stopped one to llama-swap's page, which knows four words; `swap` says that it failed.
    phase = Phase.DOWN if standing.phase in FALLEN else standing.phase
    return {
        "id": model.id,
        "name": model.name,
        "description": model.description,
        "state": phase.value,
        "unlisted": model.unlisted,
        "peerID": "",
        **({"aliases": list(model.aliases)} if model.aliases else {}),
        **({"capabilities": able} if (able := flags(model.capabilities)) else {}),
        **({"context_length": model.capabilities.context} if model.capabilities.context else {}),
    }


def loading(event: LoadProgressed) -> bytes:
    return framed("loading", {"model": event.model, "run": event.run, **load_row(event.progress)})


def ui_config(session_headers: Sequence[str]) -> bytes:
    return framed("uiConfig", {"activity": {"session_id": list(session_headers)}})


def profile_changed(active: str | None) -> bytes:
    return framed("profileChanged", {"active": active})


def inflight(payload: Mapping[str, object]) -> bytes:
    return framed("inflight", payload)


def activity(row: int) -> bytes:
    return framed("activity", {"id": row})


# -- ours: an EventSource gives them to listeners of their names only


def swap(change: ModelChanged, name: str) -> bytes:
    data = {
        "model": change.model,
        "run": change.run,
        "state": change.phase.value,
        "why": change.why,
        "seconds": round(change.seconds, 3),
    }
    return framed("swap", data, event="swap", name=name)


def config(news: ConfigLoaded | ConfigRefused | None) -> bytes:
    """How the last reading of the configuration went; that of the start went well."""
    state = "refused" if isinstance(news, ConfigRefused) else "loaded"
    return framed("config", {"state": state, "mistakes": list(news.mistakes) if news else []}, event="config")


def beat(now: float) -> bytes:
    """The server is there; by its clock it is `now`. An event, because an EventSource shows no comment."""
    return framed("beat", {"now": round(now, 3)}, event="beat")


def alert(row: Mapping[str, object]) -> bytes:
    return framed("alert", row, event="alert")


def alerts(said: Mapping[str, object]) -> bytes:
    """All that fire, and every rule."""
    return framed("alerts", said, event="alerts")


def glance(said: Mapping[str, object]) -> bytes:
    return framed("glance", said, event="glance")


def benchmark(row: Mapping[str, object]) -> bytes:
    return framed("benchmark", row, event="benchmark")


def pull(row: Mapping[str, object]) -> bytes:
    """A download, as the API shows it."""
    return framed("pull", row, event="pull")


def standings(whole: bool, rows: Sequence[Standing], gone: Sequence[str]) -> bytes:
    """Models as they stand: all of them, or those that changed."""
    return framed("standings", {"whole": whole, "rows": rows, "gone": gone}, event="standings")


def flights(whole: bool, new: Sequence[Flying], grown: Mapping[str, int], gone: Sequence[str]) -> bytes:
    """Requests in flight: rows of those that came or whose answer began, bytes of those that grew."""
    return framed("flights", {"whole": whole, "rows": new, "grown": grown, "gone": gone}, event="flights")


def finished(rows: Sequence[Activity], gap: bool, name: str) -> bytes:
    """Requests that were written down; `gap`: not all of them."""
    return framed("finished", {"rows": rows, "gap": gap}, event="finished", name=name)


def machine(samples: Sequence[Sample]) -> bytes:
    return framed("machine", {"samples": samples}, event="machine")


def rules(said: Rules, name: str = "") -> bytes:
    """Who may be up beside whom."""
    return framed("rules", said, event="rules", name=name)
