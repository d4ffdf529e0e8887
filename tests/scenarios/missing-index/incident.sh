# The table grows; the application goes on looking up by customer.
psql -c "INSERT INTO orders SELECT i, i % 20000, repeat('n', 80) FROM generate_series(2001, 1200000) AS i"
psql -c "ANALYZE orders"
for customer in $(seq 1 25); do
    PGAPPNAME=web psql -c "SELECT count(*), max(note) FROM orders WHERE customer_id = $customer"
done
