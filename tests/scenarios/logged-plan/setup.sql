CREATE TABLE customers (id bigint PRIMARY KEY);
INSERT INTO customers SELECT generate_series(1, 2000);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);
INSERT INTO orders SELECT i, i % 2000, repeat('n', 80) FROM generate_series(1, 60000) AS i;
ANALYZE customers, orders;
