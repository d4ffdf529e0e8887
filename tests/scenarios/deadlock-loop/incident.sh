for n in 1 2 3 4; do
    background job_a "BEGIN; UPDATE accounts SET balance = balance - 1 WHERE id = 1; SELECT pg_sleep(0.2); UPDATE accounts SET balance = balance + 1 WHERE id = 2; COMMIT"
    background job_b "BEGIN; UPDATE accounts SET balance = balance - 1 WHERE id = 2; SELECT pg_sleep(0.2); UPDATE accounts SET balance = balance + 1 WHERE id = 1; COMMIT"
    sleep 0.8
done
# Until the last of them has ended.
wait
