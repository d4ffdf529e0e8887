for n in $(seq 1 "${pool:-17}"); do hold web "SELECT 1;"; done
for n in $(seq 1 60); do PGAPPNAME=web psql -c "SELECT count(*) FROM orders" || true; done
release
