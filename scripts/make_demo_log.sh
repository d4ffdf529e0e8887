#!/usr/bin/env bash
# Makes tests/fixtures/shop.log: a few seconds of a real server's log (stderr format) with slow queries, a lock queue, a deadlock,
# temporary files and errors. Run it by hand when the fixture is to be renewed; tests compare with figures in the fixture's README.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cluster.sh"
out=${1:-$here/../tests/fixtures/shop.log}
trap cluster_stop EXIT
cluster_start \
    "shared_preload_libraries = 'pg_stat_statements'" "compute_query_id = on" \
    "log_line_prefix = '%m [%p] %q%u@%d %a %e %Q: '" "log_min_duration_statement = 0" \
    "log_lock_waits = on" "deadlock_timeout = 100ms" "log_temp_files = 0" "log_checkpoints = on" \
    "log_connections = on" "log_disconnections = on" "log_autovacuum_min_duration = 0" "autovacuum_naptime = 1s" "work_mem = 1MB"

psql -qX <<'S'
CREATE ROLE shop LOGIN;
CREATE DATABASE shop OWNER shop;
S
export PGDATABASE=shop PGUSER=shop
as() { PGAPPNAME=$1 psql -qX -v ON_ERROR_STOP=0 "${@:2}" >/dev/null 2>&1 || true; }

as migrate <<'S'
CREATE TABLE customers (id int PRIMARY KEY, email text UNIQUE NOT NULL, country char(2));
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, status text, total numeric(12,2), note text);
INSERT INTO customers SELECT i, 'user' || i || '@example.com', (array['DE','FR','US','JP'])[1 + i % 4] FROM generate_series(1, 5000) i;
INSERT INTO orders SELECT i, 1 + i % 5000, (array['new','paid','sent'])[1 + i % 3], i % 977, repeat('n', i % 200) FROM generate_series(1, 60000) i;
ANALYZE;
S
# Many cheap statements, and one that reads the whole table because no index helps.
for i in $(seq 1 60); do
    echo "SELECT id, total FROM orders WHERE id = $((i * 37));"
    echo "SELECT count(*), sum(total) FROM orders WHERE customer_id = $((i * 11)) AND status = 'paid';"
done | as web
for i in $(seq 1 5); do echo "SELECT o.note, c.email FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY md5(o.note), c.email LIMIT $i;"; done |
    PGOPTIONS='-c work_mem=64kB' as report
# Errors, each by its own SQLSTATE; and text that imitates a log line.
as web <<'S'
SELECT 1/0;
SELECT * FROM no_such_table WHERE id = 17;
INSERT INTO customers VALUES (1, 'again@example.com', 'DE');
SELECT E'planted\n2026-01-01 00:00:00.000 UTC [1] evil@shop web 00000 1: LOG:  duration: 999999.999 ms  statement: SELECT forged';
S
# A queue behind one open transaction.
as job -c "BEGIN" -c "UPDATE orders SET note = 'held' WHERE id = 10" -c "SELECT pg_sleep(1.2)" -c "COMMIT" &
sleep 0.3
for i in 1 2 3; do as "web-$i" -c "UPDATE orders SET note = 'waited $i' WHERE id = 10" & done
wait
# A deadlock.
as job-a -c "BEGIN" -c "UPDATE customers SET country = 'AT' WHERE id = 1" -c "SELECT pg_sleep(0.3)" -c "UPDATE customers SET country = 'AT' WHERE id = 2" -c "COMMIT" &
as job-b -c "BEGIN" -c "UPDATE customers SET country = 'CH' WHERE id = 2" -c "SELECT pg_sleep(0.3)" -c "UPDATE customers SET country = 'CH' WHERE id = 1" -c "COMMIT" &
wait
PGUSER=postgres psql -qX -c CHECKPOINT
sleep 1.2
cluster_as "$CLUSTER_BIN/pg_ctl" -D "$CLUSTER/data" -w -m fast stop >/dev/null
cp "$CLUSTER/log/postgresql.log" "$out"
chmod 644 "$out"
wc -lc "$out"
