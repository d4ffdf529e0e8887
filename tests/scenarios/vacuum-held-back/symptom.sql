-- Dead rows that a vacuum has to leave.
VACUUM jobs;
SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'jobs';
