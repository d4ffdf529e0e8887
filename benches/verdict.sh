#!/usr/bin/env bash
# What a verdict costs the server, by the server's own log: `health` of each BINARY in turns, each verdict in a new backend, so that its
# caches are empty. Medians of the sums of a verdict's statements (time, and processor time, which a busy machine changes less), and of
# the rounds' ratios to the first BINARY.
#   usage: [SESSIONS=N] benches/verdict.sh [ROUNDS=200] [BINARY…]      N sessions idle meanwhile, a tenth of them in a transaction
# After `make build`; the build of before is given first, to be compared with.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/cluster.sh
ROUNDS=${1:-200}
shift || true
[ $# -gt 0 ] || set -- "${CARGO_TARGET_DIR:-target}/release/pg-logstats"
SESSIONS=${SESSIONS:-0}
work=$(mktemp -d)
clients=
trap '[ -z "$clients" ] || kill $clients 2>/dev/null || true; cluster_stop; rm -rf "$work"' EXIT
cluster_start "max_connections = $((SESSIONS + 20))" "log_line_prefix = '%q%u %p '" "log_min_duration_statement = 0" \
    "log_statement_stats = on"
# A role for each, by which the log tells them apart.
for n in $(seq $#); do psql -qXc "CREATE ROLE build_$n LOGIN IN ROLE pg_read_all_stats"; done

if [ "$SESSIONS" -gt 0 ]; then
    # pgbench keeps a pause as microseconds in 32 bits.
    printf 'SELECT 1;\n\\sleep 2000 s\n' >"$work/idle.sql"
    printf 'BEGIN;\nSELECT 1;\n\\sleep 2000 s\n' >"$work/open.sql"
    "$CLUSTER_BIN/pgbench" -n -c "$SESSIONS" -t 1 -f "$work/idle.sql@9" -f "$work/open.sql@1" >/dev/null 2>&1 &
    clients=$!
    until [ "$(psql -qXAtc "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench' AND state LIKE 'idle%'")" = "$SESSIONS" ]; do
        kill -0 "$clients" || exit 1
        sleep 0.2
    done
fi

verdict() {
    PG_LOGSTATS_WORKSPACE=$work/workspace PG_LOGSTATS_DATABASE_URL="postgresql://build_$1@/postgres?host=$CLUSTER&port=5432" \
        "$2" health --quiet --format json >"$work/verdict.json"
}
n=0
for binary in "$@"; do
    n=$((n + 1))
    # With sessions that idle in a transaction it is not clear, which is no fault.
    verdict $n "$binary" || [ -s "$work/verdict.json" ] || exit 1
done
sleep 0.5
lines=$(wc -l <"$CLUSTER/log/postgresql.log")
for round in $(seq "$ROUNDS"); do
    # Each begins as often as any other.
    for place in $(seq $#); do
        n=$(((round + place) % $# + 1))
        verdict $n "${!n}" || true
    done
done
sleep 0.5

# A line for each verdict, in the order of the log: build, statements, milliseconds, milliseconds of the processor.
tail -n +"$((lines + 1))" "$CLUSTER/log/postgresql.log" | awk '
    $1 ~ /^build_/ { k = $1 " " $2 }
    $1 ~ /^build_/ && $3 == "LOG:" && $4 == "duration:" { if (!(k in n)) order[++m] = k; n[k]++; s[k] += $5 }
    $2 !~ /\[/ && $3 == "s" && $4 == "user," { p[k] += 1000 * ($2 + $5) }
    END { for (i = 1; i <= m; i++) { k = order[i]; split(k, w, " "); print substr(w[1], 7), n[k], s[k], p[k] } }' >"$work/verdicts"
median() { sort -n | awk '{v[NR] = $1} END {if (NR) print v[int((NR + 1) / 2)]}'; }
echo "a verdict beside $SESSIONS sessions, medians of $ROUNDS rounds:"
for n in $(seq $#); do
    awk -v n="$n" '$1 == n' "$work/verdicts" >"$work/$n"
    column() { cut -d' ' -f"$1" "$work/$n" | median; }
    ratio() { paste -d' ' "$work/$n" "$work/1" | awk -v a="$1" -v b="$(($1 + 4))" '{ print $a / $b }' | median; }
    printf '%s: %d statements; on the server %.2f ms, %.2f times the first; its processor %.2f ms, %.2f times\n' \
        "${!n}" "$(column 2)" "$(column 3)" "$(ratio 3)" "$(column 4)" "$(ratio 4)"
done
