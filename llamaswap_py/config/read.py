"""Text and environment in, a Config out; or every mistake at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from llamaswap_py.config.alerts import read_alerts
from llamaswap_py.config.aliases import give_names
from llamaswap_py.config.command import uses_port
from llamaswap_py.config.disable import blame, owner_of, without
from llamaswap_py.config.discovered import Discovered, joined
from llamaswap_py.config.environment import substitute
from llamaswap_py.config.fields import Fields
from llamaswap_py.config.groups import read_groups
from llamaswap_py.config.macros import Filling, Leftovers, Macros, common_macros
from llamaswap_py.config.merge import merge
from llamaswap_py.config.models import Draft, prepare, read_model
from llamaswap_py.config.peers import read_peers, remotes
from llamaswap_py.config.report import Report, Source
from llamaswap_py.config.routing import Routing
from llamaswap_py.config.schema import BY_PATH
from llamaswap_py.config.selectors import (
    Known,
    Together,
    check_full_names,
    check_spillover,
    read_profiles,
    read_selectors,
)
from llamaswap_py.config.settings import (
    read_check_timeout,
    read_crash_limit,
    read_kept,
    read_keys,
    read_limits,
    read_log_files,
    read_patterns,
    read_performance,
    read_preload,
    read_session_headers,
    read_shelves,
    read_store,
)
from llamaswap_py.config.tree import Map, at
from llamaswap_py.config.values import STATIC_FILES, Config, Model, Shelf, nothing
from llamaswap_py.config.yaml import parse
from llamaswap_py.errors import ConfigError, Mistake

__all__ = ["Discovered", "Reading", "Source", "read", "shelves_in"]

LAST_PORT = 65535
NO_MACROS: Macros = MappingProxyType({})
OWN_WAY = ("models", "macros")  # top-level keys whose macros are not simply filled in


class Reading(msgspec.Struct, frozen=True):
    config: Config
    warnings: tuple[Mistake, ...]
    # Models that are wrong, and why. Each stands in `config` without a command, under its id and aliases.
    disabled: Mapping[str, tuple[Mistake, ...]] = msgspec.field(default_factory=nothing)


def read(
    sources: Sequence[Source],
    env: Mapping[str, str],
    lenient: bool = False,
    builtin: Macros = NO_MACROS,
    discovered: Sequence[Discovered] = (),
) -> Reading:
    """Raises ConfigError with every mistake. An empty file is a configuration without models; no file is none.
    If `lenient`, a mistake within a model disables that model only. `builtin` are macros that need not be declared,
    `discovered` models that stand beside the written ones."""
    if not sources:
        remedy = "Name one with --config or --config-dir."
        raise ConfigError([Mistake("", 0, 0, "", "there is no configuration file", remedy)])
    report = Report(sources)
    document, found = joined(load(sources, env, report), discovered, builtin, report)
    if lenient:
        reading = read_leniently(document, report, builtin, found)
    else:
        reading = Reading(read_document(document, report, builtin, found), ())
        report.settle()
        reading = replace(reading, warnings=report.sort(report.warnings))
    return reading


def shelves_in(sources: Sequence[Source], env: Mapping[str, str], builtin: Macros = NO_MACROS) -> tuple[Shelf, ...]:
    """What `discover` names, for who must know it before everything is read. Raises ConfigError."""
    if not any("discover" in source.text for source in sources):
        return ()
    report = Report(sources)
    document = load(sources, env, report)
    common = common_macros(document, builtin, report)
    return read_shelves(Fields(fill_in(document, common, report.again()), "", "", report))


def read_leniently(document: Map, report: Report, builtin: Macros, found: Mapping[str, str]) -> Reading:
    """Again and again, since a model that is gone may bring others' mistakes to light, or take them away."""
    models = at(document, "models")
    ids = list(models.entries) if isinstance(models, Map) else []
    disabled: dict[str, list[Mistake]] = {}
    while True:
        attempt = report.again()
        config = read_document(without(document, disabled), attempt, builtin, found)
        wrong, nobodys = blame(attempt.mistakes, ids)
        if nobodys:
            attempt.mistakes += [mistake for mistakes in disabled.values() for mistake in mistakes]
            attempt.settle()
        more = {name: mistakes for name, mistakes in wrong.items() if name not in disabled}
        if not more:
            break
        disabled |= more
    preload = tuple(name for name in config.preload if name not in disabled)
    warnings = [each for each in attempt.warnings if owner_of(each.key, ids) not in disabled]
    reasons = {name: report.sort(mistakes) for name, mistakes in disabled.items()}
    return Reading(replace(config, preload=preload), report.sort(warnings), MappingProxyType(reasons))


def load(sources: Sequence[Source], env: Mapping[str, str], report: Report) -> Map:
    """The files as one tree. Of a file that is not YAML nothing further can be said, so reading ends there."""
    trees = []
    broken = False
    for written in sources:
        source = substitute(written, env, report)
        report.texts[source.path] = source.text
        before = len(report.mistakes)
        tree = parse(source, report)
        broken = broken or (tree is None and len(report.mistakes) > before)
        trees += [] if tree is None else [tree]
    if broken:
        report.settle()
    return merge(trees, report)


def read_document(document: Map, report: Report, builtin: Macros, found: Mapping[str, str]) -> Config:
    common = common_macros(document, builtin, report)
    fields = Fields(fill_in(document, common, report), "", "", report)
    drafts = prepare_models(fields, common, report)
    usual = usual_model(fields)
    registry = give_names({draft.id: read_model(draft, usual) for draft in drafts}, drafts)
    models = {model_id: registry.models[model_id] for model_id in sorted(registry.models, key=in_bytes)}
    ports = number_ports(sorted(models.values(), key=lambda model: model.id in found), fields)
    config = read_settings(fields, models, registry.names(ports))
    return replace(
        config,
        discovered=found,
        ports=MappingProxyType(ports),
        global_ttl=usual.ttl,
        unload_timeout=usual.unload_timeout,
        health_check_timeout=usual.health_check_timeout,
        send_loading_state=usual.send_loading_state,
        load_limit=usual.load_limit,
        stall_timeout=usual.stall_timeout,
        queue_timeout=usual.queue_timeout,
    )


def usual_model(fields: Fields) -> Model:
    """One that says nothing itself: what all models share."""
    return Model(
        id="",
        cmd="",
        ttl=fields.value("globalTTL"),
        unload_timeout=fields.value("unloadTimeout") or 10,
        health_check_timeout=read_check_timeout(fields),
        send_loading_state=fields.value("sendLoadingState"),
        load_limit=fields.value("loadLimit"),
        stall_timeout=fields.value("stallTimeout"),
        queue_timeout=fields.value("queueTimeout"),
    )


def read_settings(fields: Fields, models: Mapping[str, Model], names: Mapping[str, str]) -> Config:
    """What is not a model's own. It may refer to models by `names`."""
    config = Config(
        models=MappingProxyType(models),
        names=MappingProxyType(names),
        preload=read_preload(fields, names),
        start_port=fields.value("startPort"),
        log_level=fields.value("logLevel"),
        log_to_stdout=fields.value("logToStdout"),
        log_time_format=fields.value("logTimeFormat"),
        log_format=fields.value("logFormat"),
        log_files=read_log_files(fields),
        include_aliases_in_list=fields.value("includeAliasesInList"),
        api_keys=read_keys(fields),
        allowed_hosts=tuple(filter(None, map(str.strip, fields.value("allowedHosts")))),
        max_body_bytes=fields.value("maxBodySize"),
        limits=read_limits(fields),
        crash_limit=read_crash_limit(fields),
        alerts=read_alerts(fields),
        patience=fields.value("patience"),
        queue_limit=fields.value("queueLimit") or None,
        min_residency=fields.value("minResidency"),
        hold_load=fields.value("holdLoad"),
        evict_on_out_of_memory=fields.value("evictOnOutOfMemory"),
        heartbeat=fields.value("heartbeat"),
        fair_between=fields.value("fairBetween"),
        quiet_paths=read_patterns(fields, "quietPaths"),
        ignore_paths=read_patterns(fields, "ignorePaths") or (STATIC_FILES,),
        session_headers=read_session_headers(fields),
        performance=read_performance(fields),
        store=read_store(fields),
        capture_buffer=max(fields.value("captureBuffer"), 0),
        metrics_in_memory=read_kept(fields),
        discover=read_shelves(fields),
    )
    return read_choices(fields, config)


def read_choices(fields: Fields, config: Config) -> Config:
    """Which models may be up together, and which of them a name may mean."""
    report, model_ids = fields.report, list(config.models)
    before = len(report.mistakes)
    routing = Routing(fields)
    path, entries = routing.groups()
    groups = read_groups(path, entries, config.names, model_ids, report)
    matrix = routing.matrix(model_ids, config.names)
    settled = len(report.mistakes) == before
    peers, places = read_peers(fields), fields.named("peers").keys
    known = Known(config.names, remotes(peers, places, report), model_ids)
    check_full_names(known, places, report)
    selectors = read_selectors(fields, known)
    if settled:
        check_spillover(fields, selectors, known, Together(groups, matrix))
    return replace(
        config,
        groups=groups,
        matrix=matrix,
        priorities=routing.priorities(config.names),
        peers=peers,
        remotes=MappingProxyType(dict(known.remotes)),
        selectors=selectors,
        profiles=read_profiles(fields, selectors, known),
    )


def in_bytes(model_id: str) -> bytes:
    """llama-swap's order of models."""
    return model_id.encode("utf-8", "surrogatepass")


def fill_in(document: Map, common: Macros, report: Report) -> Map:
    """Everything but models, which have macros of their own. What an unknown key holds is not checked."""
    leftovers = Leftovers(report, common, lambda _: ())
    entries = dict(document.entries)
    for name, node in document.entries.items():
        if name not in OWN_WAY:
            filling = Filling(common)
            entries[name] = filling.fill(node, name)
            if name in BY_PATH:
                leftovers.tell(filling.left)
    return replace(document, entries=entries)


def prepare_models(fields: Fields, common: Macros, report: Report) -> list[Draft]:
    models = fields.named("models")
    return [prepare(model_id, models.keys[model_id], node, common, report) for model_id, node in models.entries.items()]


def number_ports(models: Iterable[Model], fields: Fields) -> dict[str, int]:
    """One after the other, in the order of models, for those whose command asks for one. Discovered ones come last,
    lest a new file gives the written ones other numbers."""
    wanting = [model.id for model in models if uses_port(model)]
    first: int = fields.value("startPort")
    if first + len(wanting) - 1 > LAST_PORT:
        remedy = f"Write at most {LAST_PORT + 1 - len(wanting)}."
        fields.wrong("startPort", f"{len(wanting)} models need ports, and there is none beyond {LAST_PORT}", remedy)
    return {model_id: first + number for number, model_id in enumerate(wanting)}
