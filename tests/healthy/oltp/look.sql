\set customer random(1, 20000)
SELECT id, amount, state FROM orders WHERE customer_id = :customer ORDER BY id DESC LIMIT 10;
