day() { echo "date '2026-01-01' + $1"; }
for n in $(seq 1 8); do
    PGAPPNAME=reports psql -c "SELECT shop, sum(amount) FROM sales WHERE day BETWEEN $(day $((n * 20))) AND $(day $((n * 20 + 30))) GROUP BY shop ORDER BY 2 DESC"
    sleep 2
    PGAPPNAME=reports psql -c "SELECT product, count(*), avg(amount) FROM sales WHERE day = $(day $((n * 9))) GROUP BY product"
    sleep 2
done
# The nightly load, and what people do: a typing error, a report that somebody gives up, the sum of everything.
PGAPPNAME=load psql -c "INSERT INTO sales SELECT date '2026-10-28', i % 50, i % 1000, i % 97 FROM generate_series(1, 10000) AS i"
PGAPPNAME=load psql -c "ANALYZE sales"
psql -c "SELECT sum(amonut) FROM sales" || true
psql -c "SET statement_timeout = '200ms'" -c "SELECT count(*) FROM sales AS a JOIN sales AS b USING (shop)" || true
psql -c "SELECT sum(amount) FROM sales"
sleep 4
