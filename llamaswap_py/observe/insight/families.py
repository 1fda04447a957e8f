"""The families of APIs at a glance: how often each was asked, and with which success. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from llamaswap_py.observe.scores import Score

TITLES = {
    "openai": "OpenAI API",
    "responses": "OpenAI Responses API",
    "anthropic": "Anthropic API",
    "llamacpp": "llama-server API",
    "ollama": "Ollama API",
    "vllm": "vLLM API",
    "tgi": "Hugging Face TGI API",
    "audio": "Audio API",
    "images": "Images API",
    "other": "Other paths",
}
HEALTHY, WARNING = 95.0, 85.0  # percent of success
WORST = ("unused", "healthy", "warning", "critical")


def families(
    scores: Iterable[Score], last: Mapping[str, int], paths: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """`last`: unix seconds. `paths`: of every family that there is, whether it was asked or not."""
    by_name = {score.metric.name: score for score in scores}
    counted, lasted = by_name["llamaswap_requests_total"].values, by_name["llamaswap_request_duration_seconds"].spreads
    rows = []
    for api in dict.fromkeys([*paths, *sorted({labels[0] for labels in counted})]):
        counts = {kind: sum(n for labels, n in counted.items() if labels[::2] == (api, kind)) for kind in KINDS}
        seconds = sum(total for labels, (_, total) in lasted.items() if labels[0] == api)
        rows.append(family(api, counts, seconds, last.get(api), paths.get(api, ())))
    return rows


KINDS = ("1xx", "2xx", "3xx", "4xx", "5xx")


def family(
    api: str, counts: Mapping[str, float], seconds: float, last: int | None, paths: Sequence[str]
) -> dict[str, Any]:
    total, failed, refused = int(sum(counts.values())), int(counts["5xx"]), int(counts["4xx"])
    succeeded = total - failed - refused
    rate = round(100 * succeeded / (succeeded + failed), 1) if succeeded + failed else None
    return {
        "endpoint": TITLES.get(api, api),
        "api": api,
        "path": paths[0] if paths else None,
        "paths": list(paths),
        "total_requests": total,
        "successful_requests": succeeded,
        "failed_requests": failed,
        "refused_requests": refused,
        "average_response_time": round(1000 * seconds / total, 1) if total else None,
        "success_rate": rate,
        "last_request_time": None if last is None else datetime.fromtimestamp(last, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": status(rate),
    }


def status(rate: float | None) -> str:
    if rate is None:
        return "unused"
    return "healthy" if rate >= HEALTHY else "warning" if rate >= WARNING else "critical"


def overall(rows: Iterable[Mapping[str, Any]]) -> str:
    """The worst of them."""
    return max((row["status"] for row in rows), key=WORST.index, default="unused")
