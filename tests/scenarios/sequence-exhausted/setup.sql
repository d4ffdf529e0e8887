CREATE SEQUENCE order_numbers MAXVALUE 200;
CREATE TABLE orders (id bigint DEFAULT nextval('order_numbers') PRIMARY KEY, note text);
ALTER SEQUENCE order_numbers OWNED BY orders.id;
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
