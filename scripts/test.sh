#!/usr/bin/env bash
# Run the tests: scripts/test.sh [--deep] [any option of pytest]. --deep gives the property tests their long lives.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

options=()
for word in "$@"; do
    case "$word" in
        --deep) export LLAMASWAP_TEST_PROFILE=deep ;;
        *) options+=("$word") ;;
    esac
done

environment dev
cd "$ROOT"
exec "$VENV_PYTHON" -m pytest ${options[@]+"${options[@]}"}
