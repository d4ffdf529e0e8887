CREATE TABLE accounts (id int PRIMARY KEY, balance int, moves int DEFAULT 0);
INSERT INTO accounts SELECT i, 100 FROM generate_series(1, 10) AS i;
