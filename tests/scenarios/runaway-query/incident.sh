# What is usual here.
for n in $(seq 1 150); do echo "SELECT note FROM orders WHERE id = $n;"; done | PGAPPNAME=web psql
background analyst "SELECT count(*) FROM orders AS a, orders AS b, orders AS c WHERE a.note || b.note > c.note"
# More than a minute, which is where it is worth somebody's attention.
sleep 85
