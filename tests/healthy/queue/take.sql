BEGIN;
UPDATE jobs SET state = 'running' WHERE id = (SELECT id FROM jobs WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id AS job \gset
\sleep 2 ms
DELETE FROM jobs WHERE id = :job;
COMMIT;
