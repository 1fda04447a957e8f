"""What the operator wrote, as frozen values. Nothing here reads, checks or computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

DEFAULT_GROUP = "(default)"


@dataclass(frozen=True, slots=True)
class Model:
    """One configured model, after macros and defaults. `${PORT}` and `${PID}` still stand in its texts,
    so that two readings of one file compare equal whatever ports they would be given."""

    id: str
    cmd: str  # comment lines removed
    cmd_stop: str = ""
    proxy: str = "http://localhost:${PORT}"
    check_endpoint: str = "/health"  # the word "none" means: no probing
    ttl: float = 0.0  # effective seconds; 0 = never unloaded for idleness
    unload_timeout: float = 10.0  # effective seconds between the stop signal and SIGKILL
    env: tuple[str, ...] = ()  # KEY=VALUE, appended to our own environment, last wins
    aliases: tuple[str, ...] = ()
    name: str = ""
    description: str = ""
    unlisted: bool = False
    use_model_name: str = ""
    concurrency_limit: int | None = None  # None = no limit of ours


@dataclass(frozen=True, slots=True)
class Group:
    """Models that share a place: who may be up beside whom."""

    id: str
    members: tuple[str, ...]
    swap: bool = True  # one member at a time
    exclusive: bool = True  # starting a member stops other groups' models
    persistent: bool = False  # other groups cannot stop its members


@dataclass(frozen=True, slots=True)
class Config:
    models: Mapping[str, Model]  # in byte order of id
    groups: tuple[Group, ...] = ()  # every model is in exactly one; the rest are in DEFAULT_GROUP
    preload: tuple[str, ...] = ()  # model ids, aliases resolved, in the order written
    health_check_timeout: float = 120.0  # seconds a model may take from spawn to ready
    start_port: int = 5800
    log_level: str = "info"  # debug | info | warn | error
    log_to_stdout: str = "proxy"  # proxy | upstream | both | none
    include_aliases_in_list: bool = False
    api_keys: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()  # ours: more Host names that control routes accept
    max_body_bytes: int = 256 * 1024 * 1024  # ours: `maxBodySize`
    patience: float = 30.0  # ours: seconds the oldest waiter may be overtaken by callers of what is up
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # id or alias -> id
    ports: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))  # model id -> its port
