CREATE TABLE orders (id serial PRIMARY KEY, note text);
SELECT setval('orders_id_seq', 2147483000);
-- How many of so many inserts fail.
CREATE FUNCTION failing(inserts int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    failed int := 0;
BEGIN
    FOR n IN 1 .. inserts LOOP
        BEGIN
            INSERT INTO orders (note) VALUES ('n');
        EXCEPTION WHEN OTHERS THEN
            failed := failed + 1;
        END;
    END LOOP;
    RETURN failed;
END
$$;
