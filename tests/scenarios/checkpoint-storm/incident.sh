for n in $(seq 1 12); do
    PGAPPNAME=loader psql -c "INSERT INTO events SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 60000) AS i"
done
