#!/usr/bin/env bash
# Download a model from Hugging Face into models/. See --help.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

usage() {
    cat <<HELP
usage: scripts/download-model.sh OWNER/NAME[:QUANT] [--include PATTERN] [any flag of 'llamaswap pull']

Downloads a model from the Hugging Face hub into this checkout's models/NAME, all parts of it, and checks it. What was
interrupted goes on where it was. Without a quantisation or pattern it chooses one and says so.

  --quant Q4_K_M       take the model of this quantisation
  --include PATTERN    take the files that match, as '*Q4_K_M*'; may be given more than once
  --help               this text; 'llamaswap pull --help' (in .venv/bin) lists the rest

HF_TOKEN opens repositories that want a token, HF_ENDPOINT names another hub, LLAMASWAP_MODELS another folder.
HELP
}

for word in "$@"; do
    case "$word" in -h | -help | --help)
        usage
        exit 0
        ;;
    esac
done
[ $# -gt 0 ] || {
    usage >&2
    exit 2
}

environment runtime
export LLAMASWAP_MODELS="${LLAMASWAP_MODELS:-$ROOT/models}" # --dir comes before it
exec "$VENV_PYTHON" -m llamaswap_py pull "$@"
