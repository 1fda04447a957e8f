#!/usr/bin/env bash
# What a swap costs beyond the engines' own time: scripts/swap-dead-time.sh [--swaps N] [--json]. Fails at 10 ms.
# With --against-router LLAMA_SERVER: whole swaps, here and in that server's router mode. Fails if ours is slower.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

environment dev
cd "$ROOT"
exec "$VENV_PYTHON" -m tests.whole.swap_dead_time "$@"
