#!/usr/bin/env bash
# Random faults for a set time, invariants only: scripts/soak.sh [--minutes N] [--seed S] [--json FILE]. Ends with 1 on a breach.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

environment dev
cd "$ROOT"
exec "$VENV_PYTHON" -m tests.whole.soak "$@"
