"""Dashboards, alert rules and the page about metrics name what there is, and all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from llamaswap_py.observe.metrics import HISTOGRAM, LLAMA_SWAPS, METRICS

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARDS = sorted((DOCS / "grafana").glob("*.json"))
ALERTS = DOCS / "prometheus" / "alerts.yaml"
PAGE = (DOCS / "metrics.md").read_text("utf-8")

NAME = re.compile(r"\bllamaswap_[a-z_]+")
SELECTED = re.compile(r"(llamaswap_[a-z_]+)\{([^}]*)\}")


def exposed() -> dict[str, tuple[str, ...]]:
    """Every name that can be asked for, with its labels."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(LLAMA_SWAPS, ())
    found |= {"llamaswap_load_average": ("interval",), "llamaswap_cpu_util_percent": ("core",)}
    found |= {name: ("id", "name", "uuid") for name in LLAMA_SWAPS if name.startswith("llamaswap_gpu_")}
    for metric in METRICS:
        if metric.kind == HISTOGRAM:
            found |= {f"{metric.name}_{end}": (*metric.labels, "le") for end in ("bucket", "sum", "count")}
        else:
            found[metric.name] = metric.labels
    return found


def expressions(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        board = json.loads(text)
        for panel in board["panels"]:
            yield from (target["expr"] for target in panel["targets"])
        yield from (each["query"] for each in board["templating"]["list"] if each["type"] == "query")
    else:
        yield from (rule["expr"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"])


def unknown(text: str, known: dict[str, tuple[str, ...]]) -> list[str]:
    """Names and labels in an expression that nothing exposes."""
    wrong = [name for name in NAME.findall(text) if name not in known]
    for name, inside in SELECTED.findall(text):
        labels = re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", inside)
        wrong += [f"{name}.{label}" for label in labels if label not in known.get(name, ())]
    return wrong


@pytest.mark.parametrize("path", [*DASHBOARDS, ALERTS], ids=lambda path: path.name)
def test_every_expression_asks_for_what_there_is(path: Path) -> None:
    found = list(expressions(path))
    assert found
    assert [wrong for text in found for wrong in unknown(text, exposed())] == []
    for text in found:
        assert text.count("(") == text.count(")")
        assert text.count("{") == text.count("}")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_that_is_renamed_is_missed(metric: Any) -> None:
    """By a dashboard or an alert: what neither shows, nobody sees."""
    known = {name: labels for name, labels in exposed().items() if not name.startswith(metric.name)}
    texts = [text for path in (*DASHBOARDS, ALERTS) for text in expressions(path)]
    assert any(unknown(text, known) for text in texts)


def test_the_page_has_every_metric_with_its_kind_labels_and_meaning_and_nothing_else() -> None:
    rows = [
        f"| `{m.name}` | {m.kind} | {', '.join(f'`{label}`' for label in m.labels) or '-'} | {m.about} |"
        for m in METRICS
    ]
    lines = PAGE.splitlines()
    assert [row for row in rows if row not in lines] == []
    assert set(re.findall(r"^\| `(llamaswap_[a-z_]+)`", PAGE, re.MULTILINE)) == {m.name for m in METRICS} | set(
        LLAMA_SWAPS
    )


def test_every_alert_says_what_is_wrong() -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in rules)
