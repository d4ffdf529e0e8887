CREATE TABLE accounts (id int PRIMARY KEY, balance int);
INSERT INTO accounts SELECT i, 100 FROM generate_series(1, 10) AS i;
