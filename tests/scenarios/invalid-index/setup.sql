CREATE TABLE members (id int PRIMARY KEY, email text);
INSERT INTO members SELECT i, 'member-' || i || '@example.org' FROM generate_series(1, 20000) AS i;
UPDATE members SET email = 'member-1@example.org' WHERE id = 2;
ANALYZE members;
