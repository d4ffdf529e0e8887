-- Files that were archived.
SELECT archived_count FROM pg_stat_archiver;
