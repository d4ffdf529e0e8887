\set customer random(1, 20000)
BEGIN;
SELECT email FROM customers WHERE id = :customer;
INSERT INTO orders (customer_id, amount) VALUES (:customer, 10);
UPDATE orders SET state = 'paid' WHERE id = (SELECT max(id) FROM orders WHERE customer_id = :customer);
COMMIT;
