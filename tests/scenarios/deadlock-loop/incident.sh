# What the second job updates first, and then.
order=${order:-2 1}
update() { echo "UPDATE accounts SET balance = balance + $1, moves = moves + 1 WHERE id = $2"; }
for n in 1 2 3 4; do
    background job_a "BEGIN; $(update -1 1); SELECT pg_sleep(0.2); $(update 1 2); COMMIT"
    background job_b "BEGIN; $(update -1 ${order% *}); SELECT pg_sleep(0.2); $(update 1 ${order#* }); COMMIT"
    sleep 0.8
done
# Until the last of them has ended.
wait
