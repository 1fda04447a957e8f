#!/usr/bin/env bash
# From the start of the program until it listens: scripts/startup-time.sh [--rounds N] [--script] [--json]. Fails beyond
# the limits of tests/whole/startup_time.py.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

environment dev
cd "$ROOT"
exec "$VENV_PYTHON" -m tests.whole.startup_time "$@"
