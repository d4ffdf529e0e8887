for n in $(seq 1 6); do
    PGAPPNAME=report psql -c "SELECT count(*) FROM (SELECT note FROM orders ORDER BY note, id OFFSET $n) AS sorted"
done
