# Each event is a transaction.
for n in $(seq 1 130); do PGAPPNAME=web psql -c "CALL log_events(2500)"; done
