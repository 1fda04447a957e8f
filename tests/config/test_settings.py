"""The settings of the document as a whole."""

from __future__ import annotations

import pytest

from llamaswap_py.config.values import STATIC_FILES, Config, LogFiles, Model, Performance, Store
from tests.config.reading import config, mistake, read_loosely, warning


def test_the_newer_settings_are_what_was_written() -> None:
    text = """
    sendLoadingState: true
    upstream: {ignorePaths: ['^/x$']}
    ui: {activity: {session_id: [" X-A ", "", x-a, X-B]}}
    performance: {disabled: true, every: 1m}
    store: {path: " requests.db "}
    captureBuffer: 20
    metricsMaxInMemory: 7
    logTimeFormat: RFC3339
    """
    found = config(text)
    assert found == Config(
        models={},
        groups=found.groups,
        send_loading_state=True,
        ignore_paths=("^/x$",),
        session_headers=("X-A", "X-B"),
        performance=Performance(True, 60),
        store=Store("requests.db"),
        capture_buffer=20,
        metrics_in_memory=7,
        log_time_format="rfc3339",
    )


def test_log_files_are_what_was_written() -> None:
    text = "logs: {directory: ' logs ', maxSize: 1MB, maxAge: 1d, keep: 2, total: 0}\nlogFormat: json"
    found = config(text)
    assert (found.log_files, found.log_format) == (LogFiles("logs", 1 << 20, 86400, 2, 0), "json")
    assert config("").log_files == LogFiles()
    assert warning("logs: {keep: 3}").key == "logs.directory"


@pytest.mark.parametrize("name", ["maxSize", "total"])
def test_a_log_file_has_room_for_a_line(name: str) -> None:
    assert mistake(f"logs: {{directory: logs, {name}: 63KB}}").key == f"logs.{name}"
    assert config(f"logs: {{directory: logs, {name}: 0}}").log_files != LogFiles()
    assert mistake(f"logs: {{directory: logs, {name}: -1}}").key == f"logs.{name}"


def test_what_llama_swap_takes_for_its_default_is_the_default() -> None:
    text = "upstream: {ignorePaths: []}\nmetricsMaxInMemory: -1\ncaptureBuffer: -1\n"
    text += "performance: {every: 0}\nlogTimeFormat: ''"
    found = config(text)
    assert found == Config(models={}, groups=found.groups, capture_buffer=0)
    assert found.ignore_paths == (STATIC_FILES,)
    assert config("ui: {activity: {session_id: []}}").session_headers == ()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("upstream: {ignorePaths: ['(']}", "upstream.ignorePaths[0]"),
        ("performance: {every: 3s}", "performance.every"),
        ("store: {}", "store.path"),
        ("store: {path: ' '}", "store.path"),
    ],
)
def test_what_cannot_be_is_told(text: str, key: str) -> None:
    found = mistake(text)
    assert found.key == key
    assert found.remedy


def test_an_unknown_time_format_is_none_and_told() -> None:
    assert warning("logTimeFormat: never").key == "logTimeFormat"
    assert read_loosely("logTimeFormat: never").log_time_format == ""


def test_a_models_own_time_to_be_ready_counts_and_loading_news_are_inherited() -> None:
    text = """
    healthCheckTimeout: 60
    sendLoadingState: true
    models:
      a: {cmd: "${PORT}"}
      b: {cmd: "${PORT}", healthCheckTimeout: 5m, sendLoadingState: false}
      c: {cmd: "${PORT}", healthCheckTimeout: 3}
    """
    found = read_loosely(text).models
    assert [(each.health_check_timeout, each.send_loading_state) for each in found.values()] == [
        (60, True),
        (300, False),
        (15, True),
    ]
    assert warning(text).key == "models.c.healthCheckTimeout"


def test_the_model_behind_comfyui_is_a_case_of_its_own() -> None:
    page = config("models: {comfyui_auto: {cmd: '${PORT}', concurrencyLimit: 5}}").models["comfyui_auto"]
    assert (page.concurrency_limit, page.ignore_websockets) == (50, True)
    page = config("models: {comfyui_auto: {cmd: '${PORT}', concurrencyLimit: 60}}").models["comfyui_auto"]
    assert page.concurrency_limit == 60
    page = config("models: {comfyui_auto: {cmd: '${PORT}'}}").models["comfyui_auto"]
    assert page == Model("comfyui_auto", "${PORT}", ignore_websockets=True)


def test_a_model_shows_what_it_can_do_and_how_many_it_serves() -> None:
    text = """
    models:
      m:
        cmd: ${PORT}
        seats: 2
        compat: {ignoreWebsockets: true}
        metadata: {a: {b: [1]}}
        capabilities: {in: [text, image], out: [text], tools: yes, reranker: no, context: 8192}
    """
    found = config(text).models["m"]
    assert (found.seats, found.ignore_websockets, found.metadata) == (2, True, {"a": {"b": (1,)}})
    can = found.capabilities
    assert (can.inputs, can.outputs, can.tools, can.reranker, can.context) == (
        ("text", "image"),
        ("text",),
        True,
        False,
        8192,
    )


def test_a_capability_is_one_of_a_few() -> None:
    found = mistake("models: {m: {cmd: '${PORT}', capabilities: {in: [text, imag]}}}")
    assert (found.key, found.remedy) == ("models.m.capabilities.in[1]", "Did you mean image?")
    found = mistake("models: {m: {cmd: '${PORT}', capabilities: {out: [smell]}}}")
    assert found.remedy == "Write one of text, audio, image."
