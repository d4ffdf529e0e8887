-- Transactions since the oldest that is not frozen.
SELECT age(datfrozenxid) FROM pg_database WHERE datname = 'shop';
