#!/usr/bin/env bash
# Run the tests: scripts/test.sh [--deep] [--install] [any option of pytest]. --deep gives the property tests their long
# lives. --install brings the browser that the tests of the page need, through apt-get; without one they are skipped.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

browser() {
    [ -n "${LLAMASWAP_TEST_CHROMIUM:-}" ] && return 0
    local name
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    [ -d "/Applications/Google Chrome.app" ] || [ -d /Applications/Chromium.app ]
}

install_browser() {
    browser && return 0
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        say "Installing Chromium through apt-get ..."
        apt-get -qq update >&2 || true # an old list often does
        DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends chromium >&2 || true
    fi
    browser || say "No Chromium could be brought here (that takes apt-get, as root): the page's tests will be skipped."
}

options=()
for word in "$@"; do
    case "$word" in
        --deep) export LLAMASWAP_TEST_PROFILE=deep ;;
        --install) install_browser ;;
        *) options+=("$word") ;;
    esac
done

environment dev
cd "$ROOT"
exec "$VENV_PYTHON" -m pytest ${options[@]+"${options[@]}"}
