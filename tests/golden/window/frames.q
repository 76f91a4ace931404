-- ROWS frames, and the default frame that ends at the current row's peers.
source data/tables.q;
SELECT id, sum(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING),
  sum(id) OVER (ORDER BY id), sum(id) OVER (),
  sum(id) OVER (ORDER BY dept) FROM emp ORDER BY id;
