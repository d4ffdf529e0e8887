export PGUSER=postgres
psql -c "SELECT pg_create_logical_replication_slot('warehouse', 'test_decoding')"
# A consumer that came once.
psql -c "SELECT count(*) FROM pg_logical_slot_get_changes('warehouse', NULL, NULL)"
for n in $(seq 1 6); do
    psql -c "INSERT INTO events (body) SELECT repeat(md5(i::text), 30) FROM generate_series(1, 100000) AS i" -c "TRUNCATE events"
done
psql -c CHECKPOINT
wait_for "SELECT wal_status = 'lost' FROM pg_replication_slots"
