-- Requests that were answered.
SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query = 'SELECT count(*) FROM orders';
