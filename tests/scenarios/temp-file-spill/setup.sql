CREATE TABLE orders AS SELECT i AS id, md5(i::text) AS note FROM generate_series(1, 300000) AS i;
ANALYZE orders;
