# Both jobs update in one order.
order="1 2"
