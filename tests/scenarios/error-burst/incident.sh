column=${column:-statuss}
for n in $(seq 1 20); do PGAPPNAME=web psql -c "SELECT note FROM orders WHERE id = $n"; done
sleep 8
for n in $(seq 1 60); do PGAPPNAME=web psql -c "SELECT $column FROM orders WHERE id = $n" || true; done
sleep 8
PGAPPNAME=web psql -c "SELECT note FROM orders WHERE id = 1"
