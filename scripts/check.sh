#!/usr/bin/env bash
# Everything that can be said about the code without running it: format, lint, types, order of the rooms, budgets.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

environment dev
cd "$ROOT"
failed=()

outputs="$(mktemp -d)"
names=() running=()
trap 'kill ${running[@]+"${running[@]}"} 2>/dev/null || true; rm -rf "$outputs"' EXIT

# check NAME COMMAND...: all of them at once; its output is shown only when it fails
check() {
    names+=("$1")
    shift
    "$@" >"$outputs/${#names[@]}" 2>&1 &
    running+=($!)
}

verdicts() {
    local at
    for at in "${!names[@]}"; do
        if wait "${running[at]}"; then
            printf 'ok      %s\n' "${names[at]}"
        else
            printf 'FAILED  %s\n%s\n\n' "${names[at]}" "$(cat "$outputs/$((at + 1))")"
            failed+=("${names[at]}")
        fi
    done
}

shell_syntax() {
    local script
    for script in scripts/*.sh .ci/run; do bash -n "$script" || return 1; done
}

# The page's types and the tests of its parts, by Node.js as the page's own build finds it.
page() {
    (cd llamaswap_py/ui && "$node" node_modules/svelte-check/bin/svelte-check --tsconfig ./tsconfig.json --fail-on-warnings) &&
        (cd llamaswap_py/ui && "$node" node_modules/vitest/vitest.mjs run)
}

python="$VENV_PYTHON"
check "format (ruff)" "$python" -m ruff format --check .
check "lint (ruff)" "$python" -m ruff check .
check "types, Linux (mypy)" "$python" -m mypy --platform linux --cache-dir .mypy_cache/linux
check "types, macOS (mypy)" "$python" -m mypy --platform darwin --cache-dir .mypy_cache/darwin llamaswap_py
check "order of the rooms (import-linter)" "$VENV/bin/lint-imports"
check "names, places and budgets (tests/house)" "$python" -m tests.house.rules
check "shell syntax (bash -n)" shell_syntax
if node="$("$python" -m llamaswap_py.ui.building --libraries 2>&1)"; then
    check "the page (svelte-check, vitest)" page
else
    printf 'skipped the page (svelte-check, vitest): %s\n' "$node"
fi

verdicts

if [ ${#failed[@]} -gt 0 ]; then
    printf '\n%d of the checks failed: %s\n' "${#failed[@]}" "$(IFS=,; echo "${failed[*]}")"
    exit 1
fi
printf '\nEverything is clean.\n'
