report() {
    for n in $(seq 1 25); do
        PGAPPNAME=report psql -c "SELECT count(*), sum(s.amount * p.price) FROM sales AS s JOIN prices AS p ON p.product = s.product AND p.day = s.day WHERE s.tenant = 7"
        sleep 2.6
    done
}
# The better time: more than a minute, so that it is no burst.
report
turn
# Ten tenants come that are larger than any before.
psql -c "INSERT INTO sales SELECT 100000 + i, 1001 + i % 10, 1 + abs(hashint8(i) % 400), 1 + abs(hashint8(i + 1000000000) % 300), i % 100 FROM generate_series(1, 150000) AS i"
psql -c "ANALYZE sales"
report
