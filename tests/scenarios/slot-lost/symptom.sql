-- Slots that are there for nobody.
SELECT count(*) FROM pg_replication_slots WHERE NOT active;
