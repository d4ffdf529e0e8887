#!/usr/bin/env bash
# Compares whole processes on one log, warm cache, paired: every round runs every tool once, and ratios are of medians.
#   usage: benches/compare.sh LOG [ROUNDS=5]
#   env:   BIN=target/release/examples/analyse (cargo build --release -p pg-logstats-logs --example analyse)
# Yardsticks: a plain newline scan with as many threads (cargo build --release -p pg-logstats-benches --bins), ripgrep (Debian: apt-get
# install ripgrep); pgweasel and pgbadger are measured where they are installed.
set -euo pipefail
LOG=${1:?usage: benches/compare.sh LOG [ROUNDS]}
ROUNDS=${2:-5}
TARGET=${CARGO_TARGET_DIR:-target}
BIN=${BIN:-$TARGET/release/examples/analyse}
BYTES=$(stat -c %s "$LOG")
declare -A TOOLS=([pg-logstats]="'$BIN' '$LOG'")
SCAN=${SCAN:-$TARGET/release/newlines}
[ -x "$SCAN" ] && TOOLS[newlines]="'$SCAN' '$LOG'"
command -v rg >/dev/null && TOOLS[rg]="rg -c duration '$LOG'"
command -v pgweasel >/dev/null && TOOLS[pgweasel]="pgweasel slow top '$LOG'"
command -v pgbadger >/dev/null && TOOLS[pgbadger]="pgbadger -q -o /dev/null -x json '$LOG'"
cat "$LOG" >/dev/null
RESULTS=$(mktemp); trap 'rm -f "$RESULTS"' EXIT
for _ in $(seq "$ROUNDS"); do
  for tool in "${!TOOLS[@]}"; do
    /usr/bin/env bash -c "TIMEFORMAT='$tool %R'; time ${TOOLS[$tool]} >/dev/null" 2>>"$RESULTS"
  done
done
median() { awk -v tool="$1" '$1 == tool { print $2 }' "$RESULTS" | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }
BASE=$(median rg)
LEAST=$(median newlines)
for tool in "${!TOOLS[@]}"; do
  awk -v t="$tool" -v s="$(median "$tool")" -v b="$BYTES" -v base="$BASE" -v least="$LEAST" 'BEGIN {
    printf "%-12s %8.3f s %8.0f MB/s", t, s, b / s / 1e6
    if (least != "") printf "   %.3f of the scan", least / s
    if (base != "") printf "   %.3f of ripgrep", base / s
    print "" }'
done
