#!/usr/bin/env bash
# Write requirements.lock and requirements-dev.lock anew from pyproject.toml: scripts/lock.sh [--upgrade]
# Exact versions with hashes for Linux, macOS and Windows on every supported Python, naming no registry.
# Without --upgrade, what is locked stays as it is wherever pyproject.toml still allows it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$ROOT"

# uv is the one tool that resolves for all platforms at once; where it is missing it is put into .venvs.
uv="$(command -v uv || true)"
if [ -z "$uv" ]; then
    uv="$ROOT/.venvs/uv/bin/uv"
    [ -x "$uv" ] || {
        "$(find_python)" -m venv "$ROOT/.venvs/uv"
        "$ROOT/.venvs/uv/bin/pip" install --quiet --disable-pip-version-check uv
    }
fi

lock() {
    local file="$1"
    shift
    "$uv" pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file "$file" "$@"
    if grep -nE '://|^--?[a-z]|@ ' "$file"; then die "$file names a place to download from; see the lines above."; fi
}

lock requirements-dev.lock --group build --group dev "$@"
# The runtime lock takes its versions from the dev lock, so that one environment serves for both.
lock requirements.lock --group build --constraints requirements-dev.lock "$@"
say "Wrote requirements.lock and requirements-dev.lock."
