on_standby wait_for "SELECT to_regclass('orders') IS NOT NULL"
for n in $(seq 1 7); do
    on_standby background report "SELECT count(*), sum(state) FROM orders, pg_sleep(4)"
    on_standby wait_for "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'report' AND wait_event = 'PgSleep'"
    PGAPPNAME=web psql -c "UPDATE orders SET state = state + 1"
    # Without cutting pages off the end: that would be a conflict over a lock.
    psql -c "VACUUM (TRUNCATE off) orders"
    on_standby wait_for "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'report'"
done
