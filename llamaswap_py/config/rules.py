"""What models and peers have in common: filters of requests, and time limits of connections."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from llamaswap_py.config.fields import Fields
from llamaswap_py.config.values import NOTHING, Filters, Json, Timeouts

MODEL = "model"  # names the model; no filter touches it


def read_filters(fields: Fields) -> Filters:
    if fields.node is None:
        return Filters()
    by_id: Mapping[str, Mapping[str, Json]] = fields.value("setParamsByID") or NOTHING
    return Filters(
        strip=paths(fields.value("stripParams") or fields.value("strip_params")),
        set=without_model(fields.value("setParams") or NOTHING, fields, "setParams"),
        set_by_id=MappingProxyType(
            {name: without_model(by_id[name], fields, f"setParamsByID.{name}") for name in by_id}
        ),
    )


def paths(text: str) -> tuple[str, ...]:
    found = {path.strip() for path in text.split(",")}
    return tuple(sorted(found - {"", MODEL}))


def without_model(rules: Mapping[str, Json], fields: Fields, name: str) -> Mapping[str, Json]:
    if MODEL in rules:
        place = fields.place(name.partition(".")[0])
        remedy = "Use `useModelName` to tell the model's server another name."
        fields.report.warn(place, f"{fields.path}.{name}.{MODEL}", "filters do not change `model`", remedy)
    return MappingProxyType({path: rules[path] for path in sorted(rules) if path != MODEL})


def read_timeouts(fields: Fields) -> Timeouts:
    return Timeouts(
        connect=fields.value("connect"),
        keepalive=fields.value("keepalive"),
        response_header=fields.value("responseHeader"),
        tls_handshake=fields.value("tlsHandshake"),
        expect_continue=fields.value("expectContinue"),
        idle=fields.value("idleConn"),
    )
