CREATE TABLE events (id bigint, payload text);
-- Checkpoints that did not wait for their time; counted elsewhere since PostgreSQL 17.
CREATE FUNCTION requested() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        RETURN (SELECT num_requested FROM pg_stat_checkpointer);
    END IF;
    RETURN (SELECT checkpoints_req FROM pg_stat_bgwriter);
END
$$;
