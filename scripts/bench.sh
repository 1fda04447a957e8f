#!/usr/bin/env bash
# The proxies side by side: scripts/bench.sh [--install] [--rounds N] [--size S] [--against NAME=URL,PID] [--json FILE]
# [--write]. --install fetches nginx and wrk by apt-get; --size 0.05 is a first look of some minutes.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

options=()
for word in "$@"; do
    case "$word" in
        --install) apt-get update -qq && apt-get install -y -qq nginx-light wrk >/dev/null ;;
        *) options+=("$word") ;;
    esac
done

environment dev
cd "$ROOT"
exec "$VENV_PYTHON" -m tests.performance ${options[@]+"${options[@]}"}
