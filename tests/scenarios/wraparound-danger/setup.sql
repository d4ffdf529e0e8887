CREATE TABLE events (id bigint);
CREATE PROCEDURE log_events(n int) LANGUAGE plpgsql AS
    'BEGIN FOR i IN 1..n LOOP INSERT INTO events VALUES (i); COMMIT; END LOOP; END';
DO $$BEGIN
    FOR month IN 1..20 LOOP
        EXECUTE format('CREATE TABLE archive_%s AS SELECT i AS id, repeat(%L, 400) AS note FROM generate_series(1, 3600) AS i', month, 'n');
    END LOOP;
END$$;
