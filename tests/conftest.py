"""Hypothesis profiles, and nothing else: a test says itself what it needs."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Timing is the machine's business, not the promise's: no deadline per example, and no complaint about a slow one.
QUIET = (HealthCheck.too_slow,)

settings.register_profile("fast", max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=QUIET)
settings.register_profile(
    "deep", max_examples=4000, stateful_step_count=300, deadline=None, suppress_health_check=QUIET, print_blob=True
)
settings.load_profile(os.environ.get("LLAMASWAP_TEST_PROFILE", "fast"))
