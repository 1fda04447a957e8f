"""The portable reading of flags, for where `native` is not: one row each, from llama-server's name to xllamacpp's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec


class Unknown(Exception):
    """A flag that is none, or whose value cannot be; the message is for the person who wrote the command."""


class Setting(msgspec.Struct, frozen=True):
    path: str  # as "sampling.temp"
    read: Callable[[str], Any] | None = None  # None: a switch, which sets `fixed`
    fixed: Any = True
    choice: str = ""  # the library's enumeration, if the value is one of its names


def integer(path: str) -> Setting:
    return Setting(path, int)


def real(path: str) -> Setting:
    return Setting(path, float)


def text(path: str) -> Setting:
    return Setting(path, str)


def listed(value: str) -> list[str]:
    return [part for part in value.split(",") if part]


def layers(value: str) -> int:
    return {"auto": -1, "all": -2}.get(value, -3) if not value.lstrip("-").isdigit() else int(value)


FLASH = {"on": "ENABLED", "off": "DISABLED", "auto": "AUTO", "1": "ENABLED", "0": "DISABLED"}
MODES = {"mmap+mlock": "MMAP_MLOCK", "dio": "DIRECT_IO"}


def named(prefix: str, spelling: Mapping[str, str] | None = None) -> Callable[[str], str]:
    return lambda value: prefix + (spelling or {}).get(value, value.upper())


attention = named("LLAMA_FLASH_ATTN_TYPE_", FLASH)


def arguments(value: str) -> dict[str, str]:
    return {name: json.dumps(each) for name, each in json.loads(value).items()}


TABLE: tuple[tuple[str, Setting], ...] = (
    ("-m --model", text("model.path")),
    ("--port", integer("port")),
    ("--host", Setting("hostnames", listed)),
    ("-a --alias", Setting("model_alias", listed)),
    ("--api-key", Setting("api_keys", listed)),
    ("--api-key-file", Setting("api_keys", lambda name: Path(name).read_text("utf-8").split())),
    ("--api-prefix", text("api_prefix")),
    ("--path", text("public_path")),
    ("-to --timeout", integer("timeout_read")),
    ("--threads-http", integer("n_threads_http")),
    ("--sleep-idle-seconds", integer("sleep_idle_seconds")),
    ("--sse-ping-interval", integer("sse_ping_interval")),
    ("--slot-save-path", Setting("slot_save_path", lambda name: name.rstrip("/") + "/")),
    ("-sps --slot-prompt-similarity", real("slot_prompt_similarity")),
    ("--metrics", Setting("endpoint_metrics")),
    ("--props", Setting("endpoint_props")),
    ("--slots", Setting("endpoint_slots")),
    ("--no-slots", Setting("endpoint_slots", fixed=False)),
    ("--ui --webui", Setting("ui")),
    ("--no-ui --no-webui", Setting("ui", fixed=False)),
    ("--embedding --embeddings", Setting("embedding")),
    ("--pooling", Setting("pooling_type", named("LLAMA_POOLING_TYPE_"), choice="llama_pooling_type")),
    ("--embd-normalize", integer("embd_normalize")),
    ("-c --ctx-size", integer("n_ctx")),
    ("-n --predict --n-predict", integer("n_predict")),
    ("-b --batch-size", integer("n_batch")),
    ("-ub --ubatch-size", integer("n_ubatch")),
    ("--keep", integer("n_keep")),
    ("-np --parallel", integer("n_parallel")),
    ("-kvu --kv-unified", Setting("kv_unified")),
    ("-no-kvu --no-kv-unified", Setting("kv_unified", fixed=False)),
    ("-cb --cont-batching", Setting("cont_batching")),
    ("-nocb --no-cont-batching", Setting("cont_batching", fixed=False)),
    ("--context-shift", Setting("ctx_shift")),
    ("--no-context-shift", Setting("ctx_shift", fixed=False)),
    ("--cache-prompt", Setting("cache_prompt")),
    ("--no-cache-prompt", Setting("cache_prompt", fixed=False)),
    ("--cache-reuse", integer("n_cache_reuse")),
    ("-cram --cache-ram", integer("cache_ram_mib")),
    ("--swa-full", Setting("swa_full")),
    ("-t --threads", integer("cpuparams.n_threads")),
    ("-tb --threads-batch", integer("cpuparams_batch.n_threads")),
    ("-ngl --gpu-layers --n-gpu-layers", Setting("n_gpu_layers", layers)),
    ("-mg --main-gpu", integer("main_gpu")),
    ("-sm --split-mode", Setting("split_mode", named("LLAMA_SPLIT_MODE_"), choice="llama_split_mode")),
    ("-fa --flash-attn", Setting("flash_attn_type", attention, choice="llama_flash_attn_type")),
    ("-ctk --cache-type-k", Setting("cache_type_k", named("GGML_TYPE_"), choice="ggml_type")),
    ("-ctv --cache-type-v", Setting("cache_type_v", named("GGML_TYPE_"), choice="ggml_type")),
    ("-nkvo --no-kv-offload", Setting("no_kv_offload")),
    ("-lm --load-mode", Setting("load_mode", named("LLAMA_LOAD_MODE_", MODES), choice="llama_load_mode")),
    ("--warmup", Setting("warmup")),
    ("--no-warmup", Setting("warmup", fixed=False)),
    ("--check-tensors", Setting("check_tensors")),
    ("--rope-freq-base", real("rope_freq_base")),
    ("--rope-freq-scale", real("rope_freq_scale")),
    ("-mm --mmproj", text("mmproj.path")),
    ("--no-mmproj --no-mmproj-auto", Setting("no_mmproj")),
    ("-md --model-draft --spec-draft-model", text("speculative.draft.mparams.path")),
    ("--spec-draft-n-max", integer("speculative.draft.n_max")),
    ("--spec-draft-n-min", integer("speculative.draft.n_min")),
    ("--draft-p-min --spec-draft-p-min", real("speculative.draft.p_min")),
    ("--jinja", Setting("use_jinja")),
    ("--no-jinja", Setting("use_jinja", fixed=False)),
    ("--chat-template", text("chat_template")),
    ("--chat-template-file", Setting("chat_template", lambda name: Path(name).read_text("utf-8"))),
    ("--chat-template-kwargs", Setting("default_template_kwargs", arguments)),
    ("-s --seed", integer("sampling.seed")),
    ("--temp --temperature", real("sampling.temp")),
    ("--top-k", integer("sampling.top_k")),
    ("--top-p", real("sampling.top_p")),
    ("--min-p", real("sampling.min_p")),
    ("--repeat-last-n", integer("sampling.penalty_last_n")),
    ("--repeat-penalty", real("sampling.penalty_repeat")),
    ("--presence-penalty", real("sampling.penalty_present")),
    ("--frequency-penalty", real("sampling.penalty_freq")),
    ("--ignore-eos", Setting("sampling.ignore_eos")),
    ("-lv --verbosity --log-verbosity", integer("verbosity")),
)  # fmt: skip
SETTINGS: Mapping[str, Setting] = {name: setting for names, setting in TABLE for name in names.split()}
RANKING = ("--rerank", "--reranking")  # one flag that sets two things


def apply(engine: Any, params: Any, words: Sequence[str]) -> None:
    """Put what the words say into the parameters. Raises Unknown."""
    params.n_parallel = -1  # llama-server's own default: as many as suit
    params.default_template_kwargs = {"preserve_reasoning": "true"}  # as above
    rest = iter(words)
    for word in rest:
        if word in RANKING:
            params.embedding = True
            params.pooling_type = engine.llama_pooling_type.LLAMA_POOLING_TYPE_RANK
            continue
        setting = SETTINGS.get(word)
        if setting is None:
            raise Unknown(f"error: invalid argument: {word}")
        put(params, setting, value_of(engine, setting, word, next(rest, None) if setting.read else None))


def value_of(engine: Any, setting: Setting, word: str, written: str | None) -> Any:
    if setting.read is None:
        return setting.fixed
    if written is None:
        raise Unknown(f"error: {word} needs a value")
    try:
        value = setting.read(written)
        return getattr(getattr(engine, setting.choice), value) if setting.choice else value
    except (ValueError, AttributeError, OSError) as error:
        raise Unknown(f"error: {word} cannot be {written!r}") from error


def put(params: Any, setting: Setting, value: Any) -> None:
    """A list is of what was given before as well: keys may be given one by one."""
    *parents, name = setting.path.split(".")
    for parent in parents:
        params = getattr(params, parent)
    if name == "api_keys":
        value = [*params.api_keys, *value]
    if name == "default_template_kwargs":
        value = {**params.default_template_kwargs, **value}
    setattr(params, name, value)
    if name == "timeout_read":
        params.timeout_write = value
