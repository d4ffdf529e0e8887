-- Requests that were answered.
SELECT sum(calls) FROM pg_stat_statements WHERE query LIKE 'SELECT note FROM orders%';
