#!/usr/bin/env bash
# `run-sql` as a whole process against `psql -c` of the same read, in turns on a local server: medians of the rounds, and of their ratios.
# Twice: against `psql` as it is installed, which on Debian is a script that first looks for the right version, and against that program.
#   usage: benches/run_sql.sh [ROUNDS=25]      after `make build`; at most 29, the rate that the default budget allows in a minute
# The first runs, which compile the runbook and take the verdict, are not counted.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/cluster.sh
ROUNDS=${1:-25}
gateway=${CARGO_TARGET_DIR:-target}/release/pg-logstats
work=$(mktemp -d)
trap 'cluster_stop; rm -rf "$work"' EXIT
cluster_start "shared_preload_libraries = 'pg_stat_statements'" "compute_query_id = on" "log_line_prefix = '%m [%p] %q%u@%d %a %e %Q: '" \
    "log_min_duration_statement = 0"
psql -qX <<'S'
CREATE EXTENSION pg_stat_statements;
CREATE TABLE orders AS SELECT i AS id, i % 500 AS customer_id FROM generate_series(1, 50000) i;
CREATE ROLE triage LOGIN; GRANT pg_read_all_stats TO triage; GRANT SELECT ON orders TO triage;
S
for i in $(seq 20); do psql -qXAt -c "SELECT count(*) FROM orders WHERE customer_id = $i" >/dev/null; done
sleep 0.3
export PG_LOGSTATS_WORKSPACE=$work/workspace PG_LOGSTATS_DATABASE_URL="postgresql://triage@/postgres?host=$CLUSTER&port=5432"
triage() { "$gateway" triage query-families "$CLUSTER/log/postgresql.log" --quiet --format json >"$work/report.json"; }
triage
report=$(jq -r .report_id "$work/report.json")
offer=$(jq -c '[.next_actions[] | select(.target_id == "query_family.pg_stat_statements.by_queryid" and .status == "allowed")][0]' "$work/report.json")
action=$(jq -r .action_id <<<"$offer")
queryid=$(jq -r '.parameters[0].value // .parameters[0].choices[0]' <<<"$offer")
# The read that the action makes, with the value in it.
read=$("$gateway" catalog show query_family.pg_stat_statements.by_queryid --format json |
    jq -r '.statements[0].sql' | sed "s/{pg_stat_statements}/public/g; s/\$1/'$queryid'/g")
now() { date +%s%N; }
ours() { "$gateway" run-sql --triage-report "$report" --action-id "$action" --quiet --format json >"$work/out.json"; }
installed() { psql -qX -U triage -d postgres -c "$read" >/dev/null; }
program() { "$CLUSTER_BIN/psql" -qX -U triage -d postgres -c "$read" >/dev/null; }
installed
program
ours
[ "$(jq -r .outcome.status "$work/out.json")" = ok ] || { jq .outcome "$work/out.json" >&2; exit 1; }
for round in $(seq "$ROUNDS"); do
    a=$(now); installed; b=$(now); program; c=$(now); ours; d=$(now)
    echo "$((b - a)) $((c - b)) $((d - c))"
done >"$work/rounds"
median() { awk "{ print $1 }" "$work/rounds" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf 'psql -c %.1f ms, its program %.1f ms, run-sql %.1f ms: %.2f and %.2f times, medians of %d rounds\n' "$(median '$1 / 1e6')" \
    "$(median '$2 / 1e6')" "$(median '$3 / 1e6')" "$(median '$3 / $1')" "$(median '$3 / $2')" "$ROUNDS"
