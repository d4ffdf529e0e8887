on_standby wait_for "SELECT to_regclass('events') IS NOT NULL"
on_standby background report "SELECT count(*), sum(state) FROM orders, pg_sleep(3600)"
on_standby wait_for "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'report' AND wait_event = 'PgSleep'"
PGAPPNAME=web psql -c "UPDATE orders SET state = state + 1"
psql -c "VACUUM (TRUNCATE off) orders"
# An import, which the standby receives and cannot replay.
for n in $(seq 1 9); do
    PGAPPNAME=import psql -c "INSERT INTO events (body) SELECT repeat(md5(i::text), 30) FROM generate_series(1, 100000) AS i"
    psql -c "TRUNCATE events"
done
on_standby wait_for "SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) > 900000000"
