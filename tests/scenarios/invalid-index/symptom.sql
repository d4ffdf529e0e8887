-- Indexes that are kept up and not used.
SELECT count(*) FROM pg_index WHERE NOT indisvalid;
