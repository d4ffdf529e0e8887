SELECT count(*) FROM (SELECT note FROM orders ORDER BY note, id OFFSET 7) AS sorted;
