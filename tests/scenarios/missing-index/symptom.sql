SELECT count(*), max(note) FROM orders WHERE customer_id = 4711;
