hold web "BEGIN; SELECT count(*) FROM orders;"
background migration "ALTER TABLE orders ADD COLUMN status text"
sleep 0.5
for n in 1 2 3 4 5; do background web "SELECT count(*) FROM orders"; done
sleep 1
