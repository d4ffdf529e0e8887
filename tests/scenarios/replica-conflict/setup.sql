CREATE TABLE orders (id bigint PRIMARY KEY, state int);
INSERT INTO orders SELECT i, 0 FROM generate_series(1, 5000) AS i;
