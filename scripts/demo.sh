#!/usr/bin/env bash
# The main job, from a log to a verified audit trail, on a server of its own. Run by `make demo`; needs no running PostgreSQL and
# leaves nothing behind.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cluster.sh"
gateway=${PG_LOGSTATS:-${CARGO_TARGET_DIR:-$here/../target}/release/pg-logstats}
fixture=$here/../tests/fixtures/shop.log

work=$(mktemp -d)
export PG_LOGSTATS_WORKSPACE=$work/workspace
unset PG_LOGSTATS_CONFIG PG_LOGSTATS_DATABASE_URL XDG_CONFIG_HOME
export HOME=$work
background=()
cleanup() {
    for pid in "${background[@]}"; do kill "$pid" 2>/dev/null || true; done
    cluster_stop
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say() { printf '\n\033[1m── %s\033[0m\n\n' "$*"; }
show() { printf '$ pg-logstats %s\n' "$*"; }
# field FILE JSONPATH: one value out of a report.
field() { jq -r "$2" "$1"; }

say "1. A log, and no database: who took the time?"
show triage query-families tests/fixtures/shop.log --limit 3
"$gateway" triage query-families "$fixture" --limit 3 --format text --quiet

say "2. The same log: who waited for whom?"
show triage locks tests/fixtures/shop.log --limit 3
"$gateway" triage locks "$fixture" --limit 3 --format text --quiet

say "3. A live server with a slow query and, later, a queue behind one lock (starting it …)"
cluster_start \
    "shared_preload_libraries = 'pg_stat_statements'" "compute_query_id = on" \
    "log_line_prefix = '%m [%p] %q%u@%d %a %e %Q: '" \
    "log_lock_waits = on" "deadlock_timeout = 100ms" "log_temp_files = 0"
psql -qX <<'S'
CREATE DATABASE shop;
\c shop
CREATE EXTENSION pg_stat_statements;
CREATE TABLE orders AS SELECT i AS id, i % 5000 AS customer_id, repeat('n', i % 100) AS note FROM generate_series(1, 300000) i;
ALTER TABLE orders ADD PRIMARY KEY (id);
ANALYZE;
CREATE ROLE shop LOGIN;
-- Each statement of the application, and not the set-up above: what the log shows must not hang on how fast this machine is.
ALTER ROLE shop SET log_min_duration_statement = 0;
GRANT SELECT, UPDATE ON orders TO shop;
CREATE ROLE triage LOGIN;
GRANT pg_read_all_stats TO triage;
GRANT SELECT ON orders TO triage;
S
export PGDATABASE=shop
for i in $(seq 1 20); do
    PGAPPNAME=web psql -qXAt -U shop -c "SELECT count(*) FROM orders WHERE customer_id = $i AND note LIKE '%nn%'" >/dev/null
done
sleep 0.3
export PG_LOGSTATS_DATABASE_URL="postgresql://triage@/shop?host=$CLUSTER&port=5432"
show health
"$gateway" health --format text --quiet | head -n 2
show triage query-families THE-SERVER-LOG
"$gateway" triage query-families "$CLUSTER/log/postgresql.log" --format json --quiet >"$work/report.json"
report=$(field "$work/report.json" .report_id)
printf 'report %s, verdict %s, first finding: %s\n' "$report" "$(field "$work/report.json" .verdict)" "$(field "$work/report.json" '.findings[0].title')"
offer() { field "$work/report.json" "[.next_actions[] | select(.target_id == \"$1\" and .status == \"allowed\")][0].action_id"; }

say "4. One bounded action of that report: what would the planner do?"
action=$(offer query_family.explain)
[ "$action" != null ] || { echo "demo: the report offers no plan of a statement: $(jq -c '[.next_actions[] | {target_id, status, status_detail}]' "$work/report.json")" >&2; exit 1; }
show run-sql --triage-report "$report" --action-id "$action"
"$gateway" run-sql --triage-report "$report" --action-id "$action" --format text --quiet

say "5. The same report, while sessions pile up behind a lock: the verdict refuses"
PGAPPNAME=job psql -qX -U shop -c "BEGIN" -c "UPDATE orders SET note = 'held' WHERE id = 1" -c "SELECT pg_sleep(60)" >/dev/null 2>&1 &
background+=($!)
sleep 0.3
for i in $(seq 1 12); do
    PGAPPNAME=web-$i psql -qX -U shop -c "UPDATE orders SET note = 'waits' WHERE id = 1" >/dev/null 2>&1 &
    background+=($!)
done
sleep 1
show health
"$gateway" health --format text --quiet | head -n 4
action=$(offer query_family.explain_analyze)
[ "$action" != null ] || action=$(offer query_family.explain)
show run-sql --triage-report "$report" --action-id "$action"
code=0
"$gateway" run-sql --triage-report "$report" --action-id "$action" --format text --quiet || code=$?
[ "$code" = 3 ] || { echo "demo: expected exit code 3 (denied), got $code" >&2; exit 1; }
echo "exit code 3: denied"

say "6. The audit trail, verified with the public key alone"
"$gateway" audit public-key >"$work/public.pem"
show audit list
"$gateway" audit list --format text --quiet
show audit verify --public-key public.pem
"$gateway" audit verify --public-key "$work/public.pem" --format text --quiet

say "Done; the server is stopped and everything removed."
