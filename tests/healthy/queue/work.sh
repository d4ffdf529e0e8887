PGAPPNAME=producer pgbench -n -c 1 -R 40 -T 40 -f put.sql shop >/dev/null 2>&1 &
producer=$!
PGAPPNAME=worker pgbench -n -c 3 -R 38 -T 40 -f take.sql shop >/dev/null 2>&1 &
worker=$!
# A worker that dies in the middle, and one that is deployed with a mistake and rolled back at once.
sleep 5
hold worker "BEGIN; UPDATE jobs SET state = 'running' WHERE id = (SELECT max(id) FROM jobs);"
kill -KILL $!
for n in 1 2 3; do PGAPPNAME=worker psql -c "SELECT id FROM jobs WHERE stat = 'new'" || true; done
psql -c "SELECT state, count(*) FROM jobs GROUP BY state"
wait $producer $worker
release
