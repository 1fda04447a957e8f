"""A configuration as it was understood: as a document that can be read again, and as values for programs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from llamaswap_py.config.command import argv, render
from llamaswap_py.config.values import (
    DEFAULT_GROUP,
    QUEUE_LIMIT,
    Alerts,
    Config,
    CrashLimit,
    Filters,
    Group,
    Limits,
    LogFiles,
    Matrix,
    Model,
    Peer,
    Performance,
    Profile,
    Receiver,
    Selector,
    Store,
    Timeouts,
)

Plain = dict[str, Any]


def plain(value: Any) -> Any:
    """Frozen values thawed."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, tuple) else value


def seconds(value: float) -> int | float | str:
    """A whole number, or a duration: a bare fraction would be cut off by the reader."""
    if value == int(value):
        return int(value)
    return f"{Decimal(repr(value)):f}s"


def filled(**entries: Any) -> Plain:
    """Without what says nothing."""
    return {name: value for name, value in entries.items() if value not in (None, "", [], {}, ())}


# ------------------------------------------------------------- a document


def document(config: Config) -> Plain:
    """In the shape of a configuration file. What was inherited or defaulted is written out."""
    return {
        "models": {model.id: model_entry(model) for model in config.models.values()},
        **filled(
            groups=group_entries(config),
            matrix=matrix_entry(config.matrix) if config.matrix else None,
            routing=priority_entry(config.priorities),
            peers={peer.id: peer_entry(peer) for peer in config.peers.values()},
            selectors={each.id: selector_entry(each) for each in config.selectors.values()},
            profiles={each.id: profile_entry(each) for each in config.profiles.values()},
            hooks={"on_startup": {"preload": list(config.preload)}} if config.preload else None,
            apiKeys=list(config.api_keys),
            allowedHosts=list(config.allowed_hosts),
            discover=[shelf.word for shelf in config.discover],
            store=store_entry(config.store) if config.store.path else None,
            logTimeFormat=config.log_time_format,
            logs=log_files(config.log_files) if config.log_files.directory else None,
        ),
        **settings(config),
        "maxBodySize": config.max_body_bytes,
        "limits": limits_entry(config.limits),
        "crashLimit": crash_limit(config.crash_limit),
        "alerts": alerts_entry(config.alerts),
        "patience": config.patience,
        "queueLimit": config.queue_limit or 0,
        "queueTimeout": seconds(config.queue_timeout),
        "minResidency": config.min_residency,
        "holdLoad": config.hold_load,
        "evictOnOutOfMemory": config.evict_on_out_of_memory,
        "heartbeat": seconds(config.heartbeat),
        "fairBetween": config.fair_between,
        "upstream": {"ignorePaths": list(config.ignore_paths), "quietPaths": list(config.quiet_paths)},
        "ui": {"activity": {"session_id": list(config.session_headers)}},
        "performance": performance_entry(config.performance),
    }


def performance_entry(chosen: Performance) -> Plain:
    return {"disabled": chosen.disabled, "every": seconds(chosen.every), "gpus": chosen.gpus}


def store_entry(store: Store) -> Plain:
    return {
        "path": store.path,
        "maxAge": seconds(store.max_age),
        "maxSize": store.max_size,
        "captures": store.captures,
    }


def log_files(files: LogFiles) -> Plain:
    return {
        "directory": files.directory,
        "maxSize": files.max_size,
        "maxAge": seconds(files.max_age),
        "keep": files.keep,
        "total": files.total,
    }


def crash_limit(limit: CrashLimit) -> Plain:
    return {"failures": limit.failures, "window": seconds(limit.window), "retry": seconds(limit.retry)}


def alerts_entry(alerts: Alerts) -> Plain:
    rules = {
        name: {"warning": rule.warning, "critical": rule.critical, "duration": seconds(rule.duration)}
        for name, rule in alerts.rules.items()
    }
    receivers = {each.id: receiver_entry(each) for each in alerts.receivers.values()}
    return {
        "disabled": alerts.disabled,
        "every": seconds(alerts.every),
        "window": seconds(alerts.window),
        "calm": seconds(alerts.calm),
        "margin": alerts.margin,
        **rules,
        **filled(receivers=receivers),
    }


def receiver_entry(receiver: Receiver) -> Plain:
    mail = {"host": receiver.host, "port": receiver.port, "tls": receiver.tls}
    return {
        "kind": receiver.kind,
        "least": receiver.least,
        **(mail if receiver.kind == "email" else {}),
        **filled(
            url=receiver.url,
            secret=receiver.secret,
            token=receiver.token,
            headers=dict(receiver.headers),
            username=receiver.username,
            password=receiver.password,
            **{"from": receiver.sender},
            to=list(receiver.to),
        ),
    }


def settings(config: Config) -> Plain:
    """The single values, under their keys."""
    return {
        "healthCheckTimeout": seconds(config.health_check_timeout),
        "loadLimit": seconds(config.load_limit),
        "stallTimeout": seconds(config.stall_timeout),
        "globalTTL": seconds(config.global_ttl),
        "unloadTimeout": seconds(config.unload_timeout),
        "startPort": config.start_port,
        "sendLoadingState": config.send_loading_state,
        "logLevel": config.log_level,
        "logToStdout": config.log_to_stdout,
        "logFormat": config.log_format,
        "includeAliasesInList": config.include_aliases_in_list,
        "metricsMaxInMemory": config.metrics_in_memory,
        "captureBuffer": config.capture_buffer,
    }


def limits_entry(limits: Limits) -> Plain:
    return {
        "connections": limits.connections,
        "uploadStall": seconds(limits.upload_stall),
        "readerStall": seconds(limits.reader_stall),
        "drain": seconds(limits.drain),
    }


def model_entry(model: Model) -> Plain:
    can = model.capabilities
    return {
        "cmd": model.cmd,
        "proxy": model.proxy,
        "checkEndpoint": model.check_endpoint,
        "healthCheckTimeout": seconds(model.health_check_timeout),
        "loadLimit": seconds(model.load_limit),
        "stallTimeout": seconds(model.stall_timeout),
        "ttl": seconds(model.ttl),
        "unloadTimeout": seconds(model.unload_timeout),
        "sendLoadingState": model.send_loading_state,
        **filled(
            cmdStop=model.cmd_stop,
            env=list(model.env),
            aliases=list(model.aliases),
            name=model.name,
            description=model.description,
            unlisted=model.unlisted or None,
            useModelName=model.use_model_name,
            concurrencyLimit=model.concurrency_limit,
            seats=model.seats,
            queueLimit=None if model.queue_limit == QUEUE_LIMIT else model.queue_limit or 0,
            queueTimeout=seconds(model.queue_timeout),
            pin=model.pin or None,
            private=model.private or None,
            drainOnAbort=model.drain_on_abort or None,
            filters=filters_entry(model.filters),
            metadata=plain(model.metadata),
            timeouts=timeouts_entry(model.timeouts),
            compat=filled(
                ignoreWebsockets=model.ignore_websockets or None,
                holdWebsockets=model.hold_websockets or None,
            ),
            capabilities=filled(
                **{"in": list(can.inputs), "out": list(can.outputs)},
                tools=can.tools or None,
                reranker=can.reranker or None,
                context=can.context or None,
            ),
        ),
    }


def filters_entry(filters: Filters) -> Plain:
    return filled(
        stripParams=", ".join(filters.strip),
        setParams=plain(filters.set),
        setParamsByID=plain(filters.set_by_id),
    )


def timeouts_entry(times: Timeouts) -> Plain:
    return {
        "connect": seconds(times.connect),
        "keepalive": seconds(times.keepalive),
        "responseHeader": seconds(times.response_header),
        "tlsHandshake": seconds(times.tls_handshake),
        "expectContinue": seconds(times.expect_continue),
        "idleConn": seconds(times.idle),
    }


def group_entries(config: Config) -> Plain:
    return {group.id: group_entry(group) for group in config.groups if group.id != DEFAULT_GROUP}


def group_entry(group: Group) -> Plain:
    return {
        "swap": group.swap,
        "exclusive": group.exclusive,
        "persistent": group.persistent,
        "members": list(group.members),
    }


def matrix_entry(matrix: Matrix) -> Plain:
    return filled(
        vars=dict(matrix.vars),
        sets=dict(matrix.sets),
        evict_costs={spoken_of(model, matrix): cost for model, cost in matrix.evict_costs.items()},
    )


def spoken_of(model: str, matrix: Matrix) -> str:
    """A short name is stronger than an id, so a model whose id is one goes by its own short name."""
    if model not in matrix.vars:
        return model
    return next(name for name, meant in matrix.vars.items() if meant == model)


def priority_entry(priorities: Mapping[str, int]) -> Plain | None:
    if not priorities:
        return None
    return {"scheduler": {"use": "fifo", "settings": {"fifo": {"priority": dict(priorities)}}}}


def peer_entry(peer: Peer) -> Plain:
    rest = filled(apiKey=peer.api_key, filters=filters_entry(peer.filters))
    return {"proxy": peer.proxy, "models": list(peer.models), **rest, "timeouts": timeouts_entry(peer.timeouts)}


def selector_entry(selector: Selector) -> Plain:
    return {
        "strategy": selector.strategy,
        "targets": list(selector.targets),
        "settings": {"spillover": selector.spillover},
        **filled(
            name=selector.name,
            description=selector.description,
            unlisted=selector.unlisted or None,
            metadata=plain(selector.metadata),
        ),
    }


def profile_entry(profile: Profile) -> Plain:
    return {"description": profile.description, "pins": dict(profile.pins)}


# ------------------------------------------------------------- values for programs


def values(config: Config) -> Plain:
    """Everything resolved: ports filled in, commands split, what was not written as its default."""
    return {
        "accepted": True,
        "models": {model_id: model_values(config, model_id) for model_id in config.models},
        "router": "matrix" if config.matrix else "group",
        "groups": {} if config.matrix else {group.id: group_entry(group) for group in config.groups},
        "matrix": matrix_entry(config.matrix) if config.matrix else None,
        "matrix_evict_costs": plain(config.matrix.evict_costs) if config.matrix else None,
        "priority": dict(config.priorities),
        "preload": list(config.preload),
        "resolves": dict(config.names),
        "discovered": dict(config.discovered),
        "peers": {peer.id: peer_entry(peer) for peer in config.peers.values()},
        "profiles": len(config.profiles),
        "profilesByName": {each.id: profile_entry(each) for each in config.profiles.values()},
        "selectors": len(config.selectors),
        "selectorsByName": {each.id: selector_entry(each) for each in config.selectors.values()},
        "globals": {
            **settings(config),
            "apiKeys": list(config.api_keys),
            "logTimeFormat": config.log_time_format,
            "logs": log_files(config.log_files),
            "allowedHosts": list(config.allowed_hosts),
            "discover": [shelf.word for shelf in config.discover],
            "ignorePaths": list(config.ignore_paths),
            "limits": limits_entry(config.limits),
            "maxBodySize": config.max_body_bytes,
            "crashLimit": crash_limit(config.crash_limit),
            "alerts": alerts_entry(config.alerts),
            "patience": config.patience,
            "queueLimit": config.queue_limit or 0,
            "quietPaths": list(config.quiet_paths),
            "performance": performance_entry(config.performance),
            "sessionHeaders": list(config.session_headers),
            "store": store_entry(config.store),
        },
    }


def model_values(config: Config, model_id: str) -> Plain:
    model = render(config.models[model_id], config.ports.get(model_id))
    can, times = model.capabilities, timeouts_entry(model.timeouts)
    return {
        "aliases": list(model.aliases),
        "capabilities": {
            "in": list(can.inputs),
            "out": list(can.outputs),
            "tools": can.tools,
            "reranker": can.reranker,
            "context": can.context,
        },
        "checkEndpoint": model.check_endpoint,
        "cmd": argv(model.cmd),
        "cmdStop": argv(model.cmd_stop),
        "concurrencyLimit": model.concurrency_limit or 0,
        "description": model.description,
        "env": list(model.env),
        "expectContinue": times.pop("expectContinue"),
        "healthCheckTimeout": seconds(model.health_check_timeout),
        "loadLimit": seconds(model.load_limit),
        "stallTimeout": seconds(model.stall_timeout),
        "holdWebsockets": model.hold_websockets,
        "ignoreWebsockets": model.ignore_websockets,
        "metadata": plain(model.metadata),
        "name": model.name,
        "port": config.ports.get(model_id),
        "proxy": model.proxy,
        "seats": model.seats or 0,
        "queueLimit": model.queue_limit or 0,
        "queueTimeout": seconds(model.queue_timeout),
        "pin": model.pin,
        "private": model.private,
        "drainOnAbort": model.drain_on_abort,
        "sendLoadingState": model.send_loading_state,
        "setParams": plain(model.filters.set),
        "setParamsByID": plain(model.filters.set_by_id),
        "stripParams": list(model.filters.strip),
        "timeouts": times,
        "ttl": seconds(model.ttl),
        "unlisted": model.unlisted,
        "unloadTimeout": seconds(model.unload_timeout),
        "useModelName": model.use_model_name,
    }
