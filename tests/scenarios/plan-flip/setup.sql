CREATE TABLE prices (product int, day int, price int);
INSERT INTO prices SELECT p, d, 1 + (p * 31 + d) % 97 FROM generate_series(1, 400) AS p, generate_series(1, 300) AS d;
CREATE INDEX ON prices (product);
-- Eight large tenants, and very many small ones.
CREATE TABLE sales (id bigint, tenant int, product int, day int, amount int);
INSERT INTO sales
SELECT i, CASE WHEN i % 5 < 2 THEN 1 + i / 5 % 8 ELSE 100000 + i END, 1 + abs(hashint8(i) % 400), 1 + abs(hashint8(i + 1000000000) % 300), i % 100
  FROM generate_series(1, 100000) AS i;
CREATE INDEX ON sales (tenant);
ANALYZE prices;
ANALYZE sales;
