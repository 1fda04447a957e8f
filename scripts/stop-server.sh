#!/usr/bin/env bash
# Stop the server that scripts/start-server.sh --bg started. See --help.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

PIDFILE="$ROOT/llama-swap.pid"
PATIENCE=35 # seconds to finish answers: the server itself gives its callers 30
FORCED=10   # seconds for stopping models without waiting for their callers

usage() {
    cat <<HELP
usage: scripts/stop-server.sh [--now]

Stops the server named in llama-swap.pid: asks it to finish (SIGTERM), asks again after $PATIENCE seconds, which makes
it drop its callers, and kills it $FORCED seconds after that.

  --now    do not wait for callers: ask twice at once
HELP
}

patience=$PATIENCE
case "${1:-}" in
    '') ;;
    -h | -help | --help)
        usage
        exit 0
        ;;
    --now) patience=0 ;;
    *)
        usage >&2
        exit 2
        ;;
esac

# an ended process that its parent has not looked after yet is no longer there for us
alive() {
    kill -0 "$pid" 2>/dev/null || return 1
    case "$(ps -o stat= -p "$pid" 2>/dev/null)" in Z*) return 1 ;; esac
}

# waits until the process is gone, at most so many seconds
gone_within() {
    local tenths=$(($1 * 10))
    while alive; do
        [ "$tenths" -gt 0 ] || return 1
        tenths=$((tenths - 1))
        sleep 0.1
    done
}

done_with() {
    rm -f "$PIDFILE"
    say "$*"
    exit 0
}

[ -f "$PIDFILE" ] || done_with "Nothing to stop: no server was started here with --bg (there is no llama-swap.pid)."
pid=
read -r pid <"$PIDFILE" || true
is_our_server "$pid" || done_with "Nothing to stop: process ${pid:-?} from llama-swap.pid is no longer a server of ours."

kill -TERM "$pid" 2>/dev/null || true
gone_within "$patience" && done_with "Stopped the server (process $pid)."
kill -TERM "$pid" 2>/dev/null || true
gone_within "$FORCED" && done_with "Stopped the server (process $pid) without waiting for its callers."
kill -KILL "$pid" 2>/dev/null || true
gone_within 5 && done_with "Killed the server (process $pid): it did not stop when asked twice."
die "Process $pid could not be killed."
