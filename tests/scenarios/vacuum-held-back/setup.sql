CREATE TABLE jobs (id int PRIMARY KEY, attempts int, payload text);
INSERT INTO jobs SELECT i, 0, repeat('n', 40) FROM generate_series(1, 100000) AS i;
ANALYZE jobs;
