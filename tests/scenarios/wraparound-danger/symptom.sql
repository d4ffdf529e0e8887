-- Tables that autovacuum is behind with. Not the age of the database, which is that of its last table: before PostgreSQL 16 a run that is under
-- way goes on at its old pace.
SELECT count(*) FROM pg_class WHERE relkind IN ('r', 't', 'm') AND age(relfrozenxid) > current_setting('autovacuum_freeze_max_age')::int;
