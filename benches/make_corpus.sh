#!/usr/bin/env bash
# Makes logs to measure with: a private PostgreSQL writes one workload as stderr, csv and json at once.
#   usage: benches/make_corpus.sh FOLDER [MEGABYTES=64]     leaves FOLDER/server.{log,csv,json}, of which .log has about that size
# The cluster lives in a temporary folder, listens on a socket in it and nowhere else, and is stopped at the end.
set -euo pipefail
OUT=${1:?usage: benches/make_corpus.sh FOLDER [MEGABYTES]}
MEGABYTES=${2:-64}
PGBIN=${PGBIN:-$(pg_config --bindir 2>/dev/null || true)}
[ -x "$PGBIN/initdb" ] || PGBIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -x "$PGBIN/initdb" ] || { echo "PostgreSQL's server programs are missing: apt-get install postgresql postgresql-contrib" >&2; exit 1; }
mkdir -p "$OUT"
LAB=$(mktemp -d); chmod 755 "$LAB"
AS=()
if [ "$(id -u)" = 0 ]; then chown postgres: "$LAB"; AS=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi
SERVER=
stop() {
  if [ -n "$SERVER" ]; then kill -INT "$SERVER" 2>/dev/null || true; wait "$SERVER" 2>/dev/null || true; SERVER=; fi
}
trap 'stop; rm -rf "$LAB"' EXIT
"${AS[@]}" "$PGBIN/initdb" -D "$LAB/data" -U postgres -E UTF8 --locale=C -A trust -N >/dev/null
cat >> "$LAB/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$LAB'
fsync = off
log_destination = 'stderr,csvlog,jsonlog'
logging_collector = on
log_filename = 'server.log'
log_rotation_age = 0
log_rotation_size = 0
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d %a: '
log_min_duration_statement = 0
log_lock_waits = on
deadlock_timeout = 100ms
log_temp_files = 0
log_checkpoints = on
log_connections = on
log_disconnections = on
compute_query_id = on
lc_messages = 'C'
CONF
"${AS[@]}" "$PGBIN/postgres" -D "$LAB/data" 2>/dev/null & SERVER=$!
export PGHOST=$LAB PGUSER=postgres PGDATABASE=postgres
for _ in $(seq 200); do "$PGBIN/psql" -Xqc 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.1; done
"$PGBIN/pgbench" -q -i -s 2 >/dev/null 2>&1
cat > "$LAB/shop.sql" <<'SQL'
\set id random(1, 200000)
\set other random(1, 200000)
SELECT "a"."aid", "a"."abalance" FROM "pgbench_accounts" "a" WHERE "a"."aid" IN (:id, :other, 17) AND "a"."filler" <> 'it''s; -- no comment' LIMIT 21;
UPDATE pgbench_accounts /* app:shop */ SET abalance = abalance + 1 WHERE aid = :id;
WITH near AS (
    SELECT aid, abalance
      FROM pgbench_accounts
     WHERE aid BETWEEN :id AND :id + 20   -- window
)
SELECT count(*), sum(abalance)
  FROM near;
SQL
cat > "$LAB/rare.sql" <<'SQL'
SELECT 1/0;
SELECT * FROM missing;
SET work_mem = '64kB'; SELECT count(*) FROM (SELECT * FROM pgbench_accounts ORDER BY md5(aid::text)) s;
SELECT E'two
2026-11-23 00:00:00.000 UTC [1] evil@db app: LOG:  duration: 999999.999 ms  statement: SELECT forged
lines';
SQL
chmod a+r "$LAB"/*.sql
size_mb() { echo $(( $(stat -c %s "$LAB/data/log/server.log") / 1000000 )); }
while [ "$(size_mb)" -lt "$MEGABYTES" ]; do
  clients=()
  PGAPPNAME=shop "$PGBIN/pgbench" -n -c 2 -T 3 -f "$LAB/shop.sql" >/dev/null 2>&1 & clients+=($!)
  PGAPPNAME=api "$PGBIN/pgbench" -n -M prepared -c 2 -T 3 -S >/dev/null 2>&1 & clients+=($!)
  PGAPPNAME='My App [v1]: "beta"' "$PGBIN/pgbench" -n -c 1 -T 3 -b simple-update >/dev/null 2>&1 & clients+=($!)
  PGAPPNAME=rare "$PGBIN/psql" -Xq -f "$LAB/rare.sql" >/dev/null 2>&1 & clients+=($!)
  wait "${clients[@]}"
done
stop
for kind in log csv json; do cp "$LAB/data/log/server.$kind" "$OUT/server.$kind"; done
ls -l "$OUT"/server.*
