-- Updates that were committed.
SELECT sum(moves) FROM accounts;
