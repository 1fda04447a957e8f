"""The exposition: valid in both formats, whatever the models' servers say of themselves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families

from llamaswap_py.observe.exposed import exposed
from llamaswap_py.observe.metrics import HISTOGRAM, METRICS
from llamaswap_py.observe.scores import Score, Scores

OPEN = "application/openmetrics-text; version=1.0.0"
SERVER = """# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 42
# HELP llamacpp:requests_processing Number of requests processing.
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 1
"""
VLLM = """# HELP vllm:latency Latency.
# TYPE vllm:latency histogram
vllm:latency_bucket{le="1.0",model="x"} 1
vllm:latency_bucket{le="+Inf",model="x"} 2
vllm:latency_count{model="x"} 2
vllm:latency_sum{model="x"} 3.5
"""


def everything() -> list[Score]:
    """Every metric with a value."""
    scores = Scores(*(metric.name for metric in METRICS))
    for metric in METRICS:
        labels = tuple(f'a "{name}"\n\\' for name in metric.labels)
        if metric.kind == HISTOGRAM:
            scores.see(metric.name, labels, 0.3)
            scores.see(metric.name, labels, 1e9)
        else:
            scores.put(metric.name, labels, 2)
    return [score for score in scores.scores() if score.metric.name != "llamaswap_model_metrics_up"]


@pytest.mark.parametrize("accept", ["", OPEN])
def test_every_metric_is_there_in_a_valid_form(accept: str) -> None:
    found = exposed(accept, everything(), "", {"a": SERVER, "b": VLLM}, ["a", "b"])
    parse = open_families if accept else text_string_to_metric_families
    families = {family.name: family for family in parse(found.body.decode())}
    assert {metric.name.removesuffix("_total") for metric in METRICS} <= families.keys()
    duration = families["llamaswap_request_duration_seconds"]
    assert [s.value for s in duration.samples if s.labels.get("le") in ("0.25", "0.5", "1800.0", "+Inf")] == [
        0,
        1,
        1,
        2,
    ]
    assert found.content_type.startswith("application/openmetrics-text" if accept else "text/plain; version=0.0.4")


def test_the_models_own_metrics_stand_under_their_names_once() -> None:
    text = exposed("", [], "", {"a": SERVER, "b": SERVER, "c": VLLM}).body.decode()
    assert text.count("# TYPE llamacpp:prompt_tokens_total counter") == 1
    assert 'llamacpp:prompt_tokens_total{model="a"} 42.0' in text
    assert 'llamacpp:prompt_tokens_total{model="b"} 42.0' in text
    assert 'vllm:latency_count{exported_model="x",model="c"} 2.0' in text


STRANGE = '# TYPE "a.b:c" gauge\n{"a.b:c","d.e"="f"} 1\n# TYPE plain gauge\nplain 2\n'


@pytest.mark.parametrize(
    "accept", [OPEN, f"{OPEN}; escaping=allow-utf-8", f"{OPEN};escaping=dots;q=0.5,text/plain;q=0.1"]
)
def test_both_formats_have_the_same_samples_under_the_same_names(accept: str) -> None:
    told = {"a": SERVER, "b": VLLM, "c": STRANGE}
    plainly = text_string_to_metric_families(exposed("", everything(), "", told).body.decode())
    parse: Callable[[str], Iterable[Metric]] = open_families
    openly = {family.name: family for family in parse(exposed(accept, everything(), "", told).body.decode())}
    wanted = {(s.name, *sorted(s.labels.items()), s.value) for family in plainly for s in family.samples}
    assert {(s.name, *sorted(s.labels.items()), s.value) for f in openly.values() for s in f.samples} == wanted
    assert all(family.samples for family in openly.values())
    assert openly["llamacpp:prompt_tokens"].samples[0].name == "llamacpp:prompt_tokens_total"
    assert openly["a_b:c"].samples[0].labels == {"model": "c", "d_e": "f"}


@pytest.mark.parametrize(
    "text", ["<html>", 'broken{a="b" 3', "# TYPE x counter\n# TYPE x gauge\nx{ 1", "x not-a-number"]
)
def test_what_is_no_metrics_costs_only_itself(text: str) -> None:
    found = exposed("", [], "", {"a": text, "b": SERVER}, ["a", "b", "c"])
    assert found.unread == ("a",)
    assert b'llamacpp:prompt_tokens_total{model="b"} 42.0' in found.body
    up = [line for line in found.body.decode().splitlines() if line.startswith("llamaswap_model_metrics_up")]
    assert [line.partition(" ")[2] for line in up] == ["0.0", "1.0", "0.0"]


def test_nobody_speaks_in_our_name_or_under_two_kinds() -> None:
    liar = "# TYPE llamaswap_requests_total counter\nllamaswap_requests_total 9\n"
    other = "# TYPE llamacpp:requests_processing counter\nllamacpp:requests_processing 1\n"
    text = exposed("", [], "", {"a": liar + SERVER, "b": other}).body.decode()
    assert "llamaswap_requests" not in text
    assert text.count("TYPE llamacpp:requests_processing ") == 1


def test_the_program_starts_without_prometheus_library() -> None:
    """It takes a tenth of a second and some megabytes, and most starts are never scraped."""
    code = "import sys; import llamaswap_py.daemon.program; print('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
