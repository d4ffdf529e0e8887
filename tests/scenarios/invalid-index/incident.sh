PGAPPNAME=migration psql -c "CREATE UNIQUE INDEX CONCURRENTLY members_email ON members (email)" || true
PGAPPNAME=migration psql -c "DELETE FROM members WHERE id = 2"
for n in $(seq 3 60); do PGAPPNAME=web psql -c "UPDATE members SET email = 'new-$n@example.org' WHERE id = $n"; done
