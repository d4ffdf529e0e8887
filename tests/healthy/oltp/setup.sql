CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE, since timestamptz DEFAULT now());
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int REFERENCES customers, amount int, state text DEFAULT 'new');
CREATE INDEX ON orders (customer_id);
INSERT INTO customers (email) SELECT 'c' || i || '@example.com' FROM generate_series(1, 20000) AS i;
INSERT INTO orders (customer_id, amount) SELECT 1 + i % 20000, i % 500 FROM generate_series(1, 100000) AS i;
ANALYZE customers, orders;
