"""The answer to a scrape: our scores, the machine, and the models' own metrics, written by Prometheus' own library.

The library is imported when somebody first asks: nothing else of the house needs it. Called in a thread."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from llamaswap_py.observe.metrics import BY_NAME, COUNTER, HISTOGRAM, LLAMA_SWAPS
from llamaswap_py.observe.scores import Score

if TYPE_CHECKING:
    from prometheus_client import Metric as Family

# A model's server says `model` of itself, if at all, in its own words.
LABEL, THEIRS = "model", "exported_model"


class Exposed(NamedTuple):
    body: bytes
    content_type: str
    unread: tuple[str, ...]  # models whose own metrics were no such text


def exposed(
    accept: str, scores: Iterable[Score], measured: str, told: Mapping[str, str], up: Sequence[str] = ()
) -> Exposed:
    """`measured`: the machine, as text. `told`: what the models' servers said, as text, by model. `up`: all that were
    asked."""
    theirs: dict[str, Family] = {}
    unread = [model for model, text in told.items() if not merged(theirs, model, text)]
    answered = {model: float(model in told and model not in unread) for model in up}
    ours = [family(score) for score in (*scores, score_of_up(answered)) if score.values or score.spreads]
    encode, content_type = encoder(accept)
    machine = parsed(measured)
    body = encode(Collected(itertools.chain(machine, ours, theirs.values())))
    return Exposed(body, content_type, tuple(unread))


def encoder(accept: str) -> tuple[Callable[[Collected], bytes], str]:
    """The library's. What it has for OpenMetrics takes the colons out of the samples' names and leaves them in their
    families'; all names are plain here, so it is told that none needs a change."""
    from prometheus_client.exposition import choose_encoder, generate_latest
    from prometheus_client.openmetrics.exposition import ALLOWUTF8

    chosen, content_type = choose_encoder(accept)
    encode: Callable[..., bytes] = chosen
    openly = isinstance(chosen, partial) and chosen.func is not generate_latest
    return partial(encode, escaping=ALLOWUTF8) if openly else encode, content_type


class Collected:
    """As the library wants it."""

    def __init__(self, families: Iterable[Family]) -> None:
        self.families = families

    def collect(self) -> Iterable[Family]:
        return self.families


def score_of_up(answered: Mapping[str, float]) -> Score:
    return Score(BY_NAME["llamaswap_model_metrics_up"], {(model,): value for model, value in answered.items()}, {})


def family(score: Score) -> Family:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    metric = score.metric
    if metric.kind == HISTOGRAM:
        made = HistogramMetricFamily(metric.name, metric.about, labels=metric.labels)
        for labels, (counts, total) in score.spreads.items():
            made.add_metric(labels, list(cumulated(metric.buckets, counts)), total)
        return made
    kind = CounterMetricFamily if metric.kind == COUNTER else GaugeMetricFamily
    plain: CounterMetricFamily | GaugeMetricFamily = kind(metric.name, metric.about, labels=metric.labels)
    for labels, value in score.values.items():
        plain.add_metric(labels, value)
    return plain


def cumulated(buckets: Sequence[float], counts: Sequence[int]) -> Iterator[tuple[str, float]]:
    yield from zip((*map(repr, buckets), "+Inf"), itertools.accumulate(counts), strict=True)


def parsed(text: str) -> list[Family]:
    """Names that not every reader knows (of UTF-8) are made plain."""
    from prometheus_client.parser import text_string_to_metric_families

    return [plain(each) for each in text_string_to_metric_families(text)]


def plain(family: Family) -> Family:
    from prometheus_client.openmetrics.exposition import escape_label_name, escape_metric_name

    family.name = escape_metric_name(family.name)
    family.samples = [
        sample._replace(
            name=escape_metric_name(sample.name),
            labels={escape_label_name(label): value for label, value in sample.labels.items()},
        )
        for sample in family.samples
    ]
    return family


def merged(families: dict[str, Family], model: str, text: str) -> bool:
    """One model's metrics among those of the others; False where they are none, or one of them has a name of ours."""
    try:
        found = parsed(text)
    except (ValueError, KeyError, IndexError, TypeError):  # the parser's ways to say that it is no such text
        return False
    for each in found:
        if each.name.startswith("llamaswap_") or f"{each.name}_total" in LLAMA_SWAPS:
            continue
        kept = families.get(each.name)
        if kept is None:
            kept = families[each.name] = type(each)(each.name, each.documentation, each.type)
        if kept.type == each.type:
            kept.samples += [
                sample._replace(labels=labelled(sample.labels, model), exemplar=None) for sample in each.samples
            ]
    return True


def labelled(labels: Mapping[str, str], model: str) -> dict[str, str]:
    theirs = {THEIRS: labels[LABEL]} if LABEL in labels else {}
    return {LABEL: model, **{name: value for name, value in labels.items() if name != LABEL}, **theirs}
