-- How many sessions are still at it.
SELECT count(*) FROM pg_stat_activity WHERE application_name = 'analyst' AND state = 'active';
