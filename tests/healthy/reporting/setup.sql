CREATE TABLE sales (day date, shop int, product int, amount int);
INSERT INTO sales SELECT date '2026-01-01' + i % 300, i % 50, i % 1000, i % 97 FROM generate_series(1, 300000) AS i;
CREATE INDEX ON sales (day);
ANALYZE sales;
