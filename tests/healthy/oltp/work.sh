PGAPPNAME=web pgbench -n -c 4 -R 40 -T 40 -f buy.sql@1 -f look.sql@3 shop >/dev/null 2>&1 &
pool=$!
# What healthy servers have, too: a statement that someone runs by hand, wrong input, a wrong role, a time-out, a backup's checkpoint, a lock for a moment.
sleep 3
PGAPPNAME=psql psql -c "SELECT count(*) FROM orders WHERE amount > 400"
for n in 1 2 3 4; do psql -c "INSERT INTO customers (email) VALUES ('c$n@example.com')" || true; sleep 1; done
psql -c "SELECT amount FROM order" || true
command psql -X -U nobody -c "SELECT 1" || true
psql -c "SET statement_timeout = '300ms'" -c "SELECT count(*) FROM orders AS a, orders AS b WHERE a.amount < b.amount" || true
psql -c "SET work_mem = '1MB'" -c "SELECT count(*) FROM (SELECT * FROM orders ORDER BY state, amount OFFSET 0) AS sorted"
psql -c "ALTER TABLE orders ADD COLUMN note text"
wait $pool
