CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int, note text);
INSERT INTO orders SELECT i, i % 5000, repeat('n', 80) FROM generate_series(1, 2000) AS i;
ANALYZE orders;
