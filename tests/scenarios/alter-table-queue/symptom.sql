-- How many wait for a lock.
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock';
