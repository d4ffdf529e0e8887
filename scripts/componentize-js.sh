#!/usr/bin/env bash
# Fetches what a new JavaScript runbook needs (`pg-logstats runbook new --lang js`) into cargo's target folder: exactly the packages,
# by their digests, that the template's package-lock.json names. Nothing of them is run to install them. Where they cannot be had, the
# test that needs them is listed as ignored, with that reason.
#
#   scripts/componentize-js.sh            does nothing, quickly, when they are there
set -euo pipefail
cd "$(dirname "$0")/.."

template=host/gateway/src/author/template/js
folder=${CARGO_TARGET_DIR:-target}/componentize-js
marker=$folder/installed.txt
# How long the packages (some 60 MB) may take.
SECONDS_ALL=${PG_LOGSTATS_NPM_SECONDS:-300}

say() { printf 'componentize-js: %s\n' "$*" >&2; }

digest=$(sha256sum "$template/package-lock.json.in" | cut -d' ' -f1)
if [ "$(cat "$marker" 2>/dev/null)" = "$digest" ] && [ -d "$folder/node_modules" ]; then exit 0; fi
mkdir -p "$folder"
: >"$marker"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for name in package.json package-lock.json; do
    sed 's/{{name}}/tests/' "$template/$name.in" >"$folder/$name"
done
if command -v node >/dev/null && command -v npm >/dev/null &&
    (cd "$folder" && timeout "$SECONDS_ALL" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$log" 2>&1; then
    echo "$digest" >"$marker"
else
    tail -n 5 "$log" >&2
    say "Node.js or its packages cannot be had here, so the test that needs them will be ignored"
fi
