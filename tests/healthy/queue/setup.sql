CREATE TABLE jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text NOT NULL DEFAULT 'new', payload text);
CREATE INDEX ON jobs (id) WHERE state = 'new';
INSERT INTO jobs (payload) SELECT repeat('n', 50) FROM generate_series(1, 1000);
ANALYZE jobs;
