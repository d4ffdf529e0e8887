SELECT deadlocks FROM pg_stat_database WHERE datname = 'shop';
