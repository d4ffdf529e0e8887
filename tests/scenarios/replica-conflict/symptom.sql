-- Statements that replay cancelled so far.
SELECT confl_snapshot FROM pg_stat_database_conflicts WHERE datname = 'shop';
