#!/usr/bin/env bash
# Start the server of this checkout. See --help.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

LOG="$ROOT/llama-swap.log"
PIDFILE="$ROOT/llama-swap.pid"
PATIENCE=60 # seconds a background server may take to answer /health; models load later, so this is plenty

usage() {
    cat <<HELP
usage: scripts/start-server.sh [--bg] [--port N] [any flag of 'llamaswap']

Starts the server on 127.0.0.1:8080 with this checkout's config.yaml and watches that file for changes.
The first start makes a virtual environment in .venv and installs into it; later ones start at once.

  --bg           run in the background: output goes to llama-swap.log, the process id to llama-swap.pid;
                 returns when the server answers. Stop it with scripts/stop-server.sh
  --port N       listen on 127.0.0.1:N
  --listen A:N   listen on another address
  --config FILE  another configuration (also --config-dir DIR)
  --watch-config=false   do not watch the configuration
  --help         this text; 'llamaswap --help' (in .venv/bin) lists the rest
HELP
}

background=
config_named=
scheme=http
listen=127.0.0.1:8080
flags=()
while [ $# -gt 0 ]; do
    case "$1" in
        -h | -help | --help)
            usage
            exit 0
            ;;
        -bg | --bg) background=yes ;;
        -port | --port | -listen | --listen)
            [ $# -ge 2 ] || die "$1 needs a value, as in: $1 8081"
            case "$1" in *port) listen="127.0.0.1:$2" ;; *) listen="$2" ;; esac
            shift
            ;;
        -port=* | --port=*) listen="127.0.0.1:${1#*=}" ;;
        -listen=* | --listen=*) listen="${1#*=}" ;;
        *)
            case "$1" in -tls-cert-file* | --tls-cert-file*) scheme=https ;; esac
            case "$1" in -config | --config | -config=* | --config=* | -config-dir* | --config-dir*) config_named=yes ;; esac
            flags+=("$1")
            ;;
    esac
    shift
done

port="${listen##*:}"
case "$port" in '' | *[!0-9]*) die "'$listen' has no port number: write --port 8081 or --listen 127.0.0.1:8081" ;; esac
host="${listen%:*}"
case "$host" in '' | 0.0.0.0 | '[::]' | '*') host=127.0.0.1 ;; esac
url="$scheme://$host:$port"

environment runtime
[ -z "$background" ] || take_turn # of two started at once, one must see the other
{ read -r old_pid && read -r old_url; } 2>/dev/null <"$PIDFILE" || old_pid='' old_url=''
if is_our_server "$old_pid" && { [ -n "$background" ] || [ "$old_url" = "$url" ]; }; then
    die "A server started with --bg already runs at $old_url (process $old_pid). Stop it with scripts/stop-server.sh"
fi

command=("$VENV_PYTHON" -m llamaswap_py --listen "$listen" --watch-config)
[ -n "$config_named" ] || command+=(--config "$ROOT/config.yaml")
command+=(${flags[@]+"${flags[@]}"})

[ -n "$background" ] || exec "${command[@]}"

touch "$LOG"
before="$(wc -c <"$LOG")"
set -m # a process group of its own: Ctrl-C in this terminal is not meant for it
nohup "${command[@]}" </dev/null >>"$LOG" 2>&1 &
pid=$!
set +m
printf '%s\n%s\n' "$pid" "$url" >"$PIDFILE"
end_turn

if "$VENV_PYTHON" - "$url/health" "$pid" "$PATIENCE" <<'PYTHON'; then
import os, ssl, sys, time, urllib.request

url, pid, patience = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
anybody = ssl._create_unverified_context()  # whether it answers is all that is asked
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=anybody))
deadline = time.monotonic() + patience
while time.monotonic() < deadline:
    try:
        os.kill(pid, 0)
    except OSError:
        sys.exit(1)
    try:
        sys.exit(direct.open(url, timeout=5).status != 200)
    except OSError:
        time.sleep(0.01)
sys.exit(1)
PYTHON
    is_our_server "$pid" && {
        say "The server runs at $url (process $pid, log in $LOG). Stop it with scripts/stop-server.sh"
        exit 0
    }
fi

say "The server did not come up. The end of $LOG:"
tail -c "+$((before + 1))" "$LOG" | tail -n 20 >&2
is_our_server "$pid" && kill "$pid"
rm -f "$PIDFILE"
exit 1
