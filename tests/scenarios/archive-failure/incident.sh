mounted=${mounted:-no}
export PGUSER=postgres
data=$(ask "SHOW data_directory")
# The server may run as somebody else.
if [ "$mounted" = yes ]; then install -d -m 777 "$data/archive"; fi
for n in $(seq 1 4); do
    before=$(ask "SELECT failed_count + archived_count FROM pg_stat_archiver")
    psql -c "INSERT INTO orders SELECT coalesce(max(id), 0) + 1, 'n' FROM orders" -c "SELECT pg_switch_wal()"
    wait_for "SELECT failed_count + archived_count > $before FROM pg_stat_archiver"
done
