"""Hypothesis profiles, Ctrl+C, and that no program builds the page: else a test says itself what it needs."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

# Timing is the machine's business, not the promise's: no deadline per example, and no complaint about a slow one.
QUIET = (HealthCheck.too_slow,)

settings.register_profile("fast", max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=QUIET)
settings.register_profile("glance", settings.get_profile("fast"), max_examples=15)
settings.register_profile(
    "deep", max_examples=4000, stateful_step_count=300, deadline=None, suppress_health_check=QUIET, print_blob=True
)
settings.load_profile(os.environ.get("LLAMASWAP_TEST_PROFILE", "fast"))

# Who starts the tests in a shell's background has SIGINT ignored, and so would every program that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Several threads for so small a model wait for each other at every token, on a busy machine for seconds.
os.environ.setdefault("LLAMA_ARG_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Hundreds of programs are started; the tests of the page have it built once, by tests/page/built.py.
os.environ.setdefault("LLAMASWAP_BUILD_PAGE", "no")
