# How a worker is told to end: at once, in the middle of its work, or when its work is done.
signal=${signal:-KILL}
for n in $(seq 1 12); do
    (echo "BEGIN; INSERT INTO jobs (done) VALUES (true);"; sleep 0.4; echo "COMMIT;") | PGAPPNAME=worker command psql -X -q -A -t >/dev/null 2>&1 &
    worker=$!
    wait_for "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'worker' AND state = 'idle in transaction'"
    if [ "$signal" = KILL ]; then kill -KILL "$worker"; fi
    wait "$worker" || true
    wait_for "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'worker'"
done
