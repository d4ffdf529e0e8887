SELECT c.id, (SELECT max(o.note) FROM orders AS o WHERE o.customer_id = c.id) FROM customers AS c WHERE c.id <= 600;
