hold worker_1 "BEGIN; UPDATE jobs SET attempts = attempts + 1 WHERE id = 1;"
for n in $(seq 1 4); do
    for first in $(seq 2 5000 99000); do
        PGAPPNAME=worker_2 psql -c "UPDATE jobs SET attempts = attempts + 1 WHERE id BETWEEN $first AND $first + 4999"
    done
done
# A run of autovacuum that began after all of it has ended.
runs=$(ask "SELECT autovacuum_count FROM pg_stat_user_tables WHERE relname = 'jobs'")
wait_for "SELECT autovacuum_count >= $runs + 2 FROM pg_stat_user_tables WHERE relname = 'jobs'"
