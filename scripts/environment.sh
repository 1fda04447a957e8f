# The checkout's own Python: sourced by the other scripts, which then call `environment runtime` or `environment dev`.
# It makes .venv on the first call, installs what the lock files name, and does nothing (in milliseconds) afterwards.
# Everything it makes lies inside the checkout. Runs on bash 3.2, as macOS has it.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$ROOT/.venv"
VENV_PYTHON="$VENV/bin/python"
export UV_PYTHON_DOWNLOADS=never # uv would put a Python of its own outside the checkout

say() { printf '%s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# What an installed environment was made from; a change of any of it means installing again.
fingerprint() {
    printf '%s\n' "$ROOT"
    (cd "$ROOT" && cksum pyproject.toml requirements.lock requirements-dev.lock)
}

# The dev lock holds everything the runtime lock holds, at the same versions.
is_installed() {
    [ -x "$VENV_PYTHON" ] || return 1
    local wanted
    wanted="$(fingerprint)"
    [ "$(cat "$VENV/.installed-dev" 2>/dev/null)" = "$wanted" ] && return 0
    [ "$1" = runtime ] && [ "$(cat "$VENV/.installed-runtime" 2>/dev/null)" = "$wanted" ]
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11) or sys.implementation.name != "cpython")' >/dev/null 2>&1
}

# $LLAMASWAP_PYTHON, else the first CPython >= 3.11 on PATH. A name may exist and not run, as version managers' do.
find_python() {
    local name names=(python3 python3.14 python3.13 python3.12 python3.11 python)
    [ -z "${LLAMASWAP_PYTHON:-}" ] || names=("$LLAMASWAP_PYTHON")
    for name in "${names[@]}"; do
        if command -v "$name" >/dev/null 2>&1 && is_new_enough "$name"; then
            "$name" -c 'import sys; print(sys.executable)'
            return 0
        fi
    done
    return 1
}

make_venv() {
    local python
    python="$(find_python)" || die "No Python 3.11 or newer was found${LLAMASWAP_PYTHON:+ at $LLAMASWAP_PYTHON}. Install one" \
        "(python.org, your system's packages, or pyenv), or name it in LLAMASWAP_PYTHON, and run this again."
    say "Making $VENV with $("$python" --version) ..."
    if command -v uv >/dev/null 2>&1; then
        rm -rf "$VENV" # old versions of uv do it unasked, new ones want a flag that the old ones lack
        uv venv --quiet --python "$python" "$VENV"
    elif "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        "$python" -m venv --clear "$VENV"
    else
        die "$python comes without venv and ensurepip, which Debian and Ubuntu keep in a package of their own:" \
            "run 'sudo apt install python3-venv' (or install uv) and run this again."
    fi
}

install_packages() {
    if command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --python "$VENV_PYTHON" "$@"
    else
        "$VENV_PYTHON" -m pip install --quiet --quiet --disable-pip-version-check --no-input "$@"
    fi
}

# A half-made environment (an interrupted first run) has no pip, or no working Python, and is made anew.
is_usable() {
    is_new_enough "$VENV_PYTHON" && { command -v uv >/dev/null 2>&1 || "$VENV_PYTHON" -m pip --version >/dev/null 2>&1; }
}

install() {
    local kind="$1" lock="$ROOT/requirements.lock"
    [ "$kind" = dev ] && lock="$ROOT/requirements-dev.lock"
    is_usable || make_venv || return 1
    say "Installing what $(basename "$lock") names ..."
    install_packages --require-hashes -r "$lock" &&
        install_packages --no-deps --no-build-isolation --no-index -e "$ROOT" &&
        "$VENV_PYTHON" -m compileall -q "$ROOT/llamaswap_py" && # or a start takes twice as long where none may be written
        fingerprint >"$VENV/.installed-$kind"
}

# One at a time: a directory is made by one process only. What a dead owner left is taken over by a rename, which one
# process only can do either.
take_turn() {
    TURN="$ROOT/.venvs/turn"
    mkdir -p "$ROOT/.venvs"
    local told=
    until mkdir "$TURN" 2>/dev/null; do
        local owner
        owner="$(cat "$TURN/pid" 2>/dev/null || true)"
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null && mv "$TURN" "$TURN.$$" 2>/dev/null; then
            rm -rf "$TURN.$$"
            continue
        fi
        [ -n "$told" ] || say "Waiting for another script that is at work in $ROOT ..."
        told=yes
        sleep 0.2
    done
    echo $$ >"$TURN/pid"
    trap 'rm -rf "$TURN"' EXIT
}

end_turn() {
    rm -rf "$TURN"
    trap - EXIT
}

# environment runtime|dev: afterwards "$VENV_PYTHON" has what is needed.
environment() {
    is_installed "$1" && return 0
    local status=0
    take_turn
    is_installed "$1" || install "$1" || status=$? # another script may have done it while this one waited
    end_turn
    return $status
}

# Whether this process lives and is a server of ours. Slim containers have no ps, macOS has no /proc.
is_our_server() {
    local pid="$1" words
    case "$pid" in '' | *[!0-9]*) return 1 ;; esac
    kill -0 "$pid" 2>/dev/null || return 1
    words="$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null || ps -p "$pid" -o args= 2>/dev/null || true)"
    case "$words" in *llamaswap_py*) return 0 ;; *) return 1 ;; esac
}
