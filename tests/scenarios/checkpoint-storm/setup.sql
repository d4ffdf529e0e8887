CREATE TABLE events (id bigint, payload text);
