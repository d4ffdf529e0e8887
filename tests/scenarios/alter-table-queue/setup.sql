CREATE TABLE orders (id bigint PRIMARY KEY, note text);
INSERT INTO orders SELECT i, 'n' FROM generate_series(1, 1000) AS i;
