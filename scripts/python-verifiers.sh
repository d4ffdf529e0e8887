#!/usr/bin/env bash
# Fetches the Python packages that verify our signatures with code that is not ours, into a virtual environment in cargo's target
# folder. Where they cannot be had, the tests that need them are listed as ignored, with that reason.
#
#   scripts/python-verifiers.sh            does nothing, quickly, when they are there
set -euo pipefail
cd "$(dirname "$0")/.."

PACKAGES=(securesystemslib==1.3.0 in-toto-attestation==0.9.3 cryptography==50.0.2)
folder=${CARGO_TARGET_DIR:-target}/python-verifiers
marker=$folder/installed.txt

say() { printf 'python-verifiers: %s\n' "$*" >&2; }

if [ "$(cat "$marker" 2>/dev/null)" = "${PACKAGES[*]}" ] && [ -x "$folder/bin/python" ]; then exit 0; fi
mkdir -p "$folder"
: >"$marker"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if command -v python3 >/dev/null && python3 -m venv "$folder" >"$log" 2>&1 &&
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${PACKAGES[@]}" >"$log" 2>&1; then
    echo "${PACKAGES[*]}" >"$marker"
else
    tail -n 5 "$log" >&2
    say "the packages cannot be had here, so the test that needs them will be ignored"
fi
