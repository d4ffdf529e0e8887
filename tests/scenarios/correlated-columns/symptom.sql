SELECT count(*), sum(s.amount * p.price) FROM sales AS s JOIN prices AS p ON p.product = s.product AND p.day = s.day WHERE s.country = 3 AND s.city = 17
