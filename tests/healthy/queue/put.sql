INSERT INTO jobs (payload) VALUES (repeat('n', 50));
