for n in $(seq 1 260); do echo "INSERT INTO orders (note) VALUES ('n');"; done | PGAPPNAME=web command psql -X -q || true
