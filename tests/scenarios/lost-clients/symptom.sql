-- Transactions that were rolled back.
SELECT xact_rollback FROM pg_stat_database WHERE datname = 'shop';
