CREATE TABLE orders (id bigint PRIMARY KEY, state int);
INSERT INTO orders SELECT i, 0 FROM generate_series(1, 5000) AS i;
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text);
