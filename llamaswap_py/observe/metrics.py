"""Every metric of ours: name, kind, labels, meaning. The exposition, docs/metrics.md and the dashboards go by it."""

from __future__ import annotations

from typing import NamedTuple

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"

# From what a cached prompt takes to an answer of half an hour.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
# A large model on a processor, and a small one on a card that reads prompts.
SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 75.0, 100.0, 150.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0)


class Metric(NamedTuple):
    name: str  # with `_total` where it is a counter
    kind: str
    labels: tuple[str, ...]
    about: str
    buckets: tuple[float, ...] = ()


METRICS = (
    Metric("llamaswap_requests_total", COUNTER, ("api", "model", "status"), "Finished requests; status is a class."),
    Metric("llamaswap_request_duration_seconds", HISTOGRAM, ("api", "model"), "From arrival to the end.", SECONDS),
    Metric("llamaswap_queue_wait_seconds", HISTOGRAM, ("model",), "Waited for room and for a seat.", SECONDS),
    Metric("llamaswap_load_wait_seconds", HISTOGRAM, ("model",), "Waited for the load, of those who did.", SECONDS),
    Metric("llamaswap_time_to_first_token_seconds", HISTOGRAM, ("model",), "From arrival, of streams.", SECONDS),
    Metric("llamaswap_prompt_tokens_per_second", HISTOGRAM, ("model",), "As the model's server says it.", SPEEDS),
    Metric("llamaswap_generation_tokens_per_second", HISTOGRAM, ("model",), "As the model's server says it.", SPEEDS),
    Metric("llamaswap_tokens_total", COUNTER, ("model", "kind"), "input, output, cached, drafted, accepted."),
    Metric("llamaswap_response_bytes_total", COUNTER, ("model",), "To callers, heads and framing included."),
    Metric("llamaswap_refusals_total", COUNTER, ("model", "code"), "Requests that met a refusal, by its code."),
    Metric("llamaswap_client_aborts_total", COUNTER, ("model", "phase"), "Callers who left; how far the answer was."),
    Metric("llamaswap_records_lost_total", COUNTER, (), "Rows never written down: too many at once."),
    Metric("llamaswap_requests_in_flight", GAUGE, ("model",), "Requests that have a seat."),
    Metric("llamaswap_queue_depth", GAUGE, ("model",), "Requests that wait for a seat."),
    Metric("llamaswap_model_state", GAUGE, ("model", "state"), "1 for the state that it is in."),
    Metric("llamaswap_model_starts_total", COUNTER, ("model",), "Servers started."),
    Metric("llamaswap_model_restarts_total", COUNTER, ("model",), "Of them those after a failure."),
    Metric("llamaswap_model_load_seconds", HISTOGRAM, ("model",), "From its server's start until ready.", SECONDS),
    Metric("llamaswap_model_exits_total", COUNTER, ("model", "reason"), "Servers ended: why, or the failure's code."),
    Metric("llamaswap_evictions_total", COUNTER, ("model", "reason"), "Servers that made room, by which rule."),
    Metric("llamaswap_swap_seconds_total", COUNTER, ("model",), "From the decision to make room until it was ready."),
    Metric("llamaswap_out_of_memory_total", COUNTER, ("model",), "Servers whose end looks like a lack of memory."),
    Metric("llamaswap_model_memory_bytes", GAUGE, ("model",), "Resident memory of its processes."),
    Metric("llamaswap_model_cpu_seconds_total", COUNTER, ("model",), "Processor time of its living processes."),
    Metric("llamaswap_model_processes", GAUGE, ("model",), "How many they are."),
    Metric("llamaswap_model_gpu_memory_bytes", GAUGE, ("model",), "GPU memory of its processes, where tools tell it."),
    Metric("llamaswap_gpu_memory_free_bytes", GAUGE, ("id", "name", "uuid"), "Free memory of the card."),
    Metric("llamaswap_gpu_power_limit_watts", GAUGE, ("id", "name", "uuid"), "What it is allowed to draw."),
    Metric("llamaswap_gpu_data_age_seconds", GAUGE, ("id", "name", "uuid"), "Since its tool said anything of it."),
    Metric("llamaswap_process_memory_bytes", GAUGE, ("process",), "Resident memory: proxy, keeper."),
    Metric("llamaswap_process_cpu_seconds_total", COUNTER, ("process",), "Processor time: proxy, keeper."),
    Metric("llamaswap_buffered_bytes", GAUGE, ("what",), "Held in memory: answers, records, captures."),
    Metric("llamaswap_event_loop_lag_seconds", GAUGE, (), "The longest that the loop was late in the last 15 s or so."),
    Metric("llamaswap_model_metrics_up", GAUGE, ("model",), "Whether its server told its own metrics just now."),
    Metric("llamaswap_alerts_firing", GAUGE, ("rule",), "1 while the rule's alert fires."),
    Metric("llamaswap_alert_messages_total", COUNTER, ("receiver", "outcome"), "delivered, failed, given up."),
    Metric("llamaswap_alert_messages_waiting", GAUGE, ("receiver",), "Messages that the receiver has yet to hear."),
    Metric("llamaswap_start_time_seconds", GAUGE, (), "When the proxy began, in unix time."),
)  # fmt: skip
BY_NAME = {metric.name: metric for metric in METRICS}

# llama-swap's own, of the machine: observe/exposition.py and observe/gpu/exposition.py.
LLAMA_SWAPS = (
    "llamaswap_cpu_util_percent",
    "llamaswap_memory_total_bytes",
    "llamaswap_memory_used_bytes",
    "llamaswap_memory_free_bytes",
    "llamaswap_swap_total_bytes",
    "llamaswap_swap_used_bytes",
    "llamaswap_load_average",
    "llamaswap_network_bytes_total",
    "llamaswap_gpu_temperature_celsius",
    "llamaswap_gpu_vram_temperature_celsius",
    "llamaswap_gpu_util_percent",
    "llamaswap_gpu_memory_util_percent",
    "llamaswap_gpu_memory_used_bytes",
    "llamaswap_gpu_memory_total_bytes",
    "llamaswap_gpu_fan_speed_percent",
    "llamaswap_gpu_power_draw_watts",
)
