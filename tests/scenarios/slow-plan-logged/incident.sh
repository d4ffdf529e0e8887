for n in $(seq 601 605); do
    PGAPPNAME=report psql -c "SELECT c.id, (SELECT max(o.note) FROM orders AS o WHERE o.customer_id = c.id) FROM customers AS c WHERE c.id <= $n"
done
