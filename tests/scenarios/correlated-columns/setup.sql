CREATE TABLE prices (product int, day int, price int);
INSERT INTO prices SELECT p, d, 1 + (p * 31 + d) % 97 FROM generate_series(1, 400) AS p, generate_series(1, 300) AS d;
CREATE INDEX ON prices (product);
CREATE TABLE sales (id bigint, country int, city int, product int, day int, amount int);
INSERT INTO sales
SELECT i, i % 200 / 5, i % 200, 1 + abs(hashint8(i) % 400), 1 + abs(hashint8(i + 1000000000) % 300), i % 100 FROM generate_series(1, 600000) AS i;
CREATE INDEX ON sales (city);
ANALYZE prices;
ANALYZE sales;
