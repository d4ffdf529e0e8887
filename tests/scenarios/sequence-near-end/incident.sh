for n in $(seq 1 150); do echo "INSERT INTO orders (note) VALUES ('n');"; done | PGAPPNAME=web psql
