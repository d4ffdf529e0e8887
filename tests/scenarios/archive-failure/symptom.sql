-- Attempts that failed.
SELECT failed_count FROM pg_stat_archiver;
