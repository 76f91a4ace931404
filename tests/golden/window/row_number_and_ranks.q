-- row_number, rank, dense_rank, percent positions of ties.
source data/tables.q;
SELECT id, salary, row_number() OVER (ORDER BY salary DESC, id), rank() OVER (ORDER BY salary DESC),
  dense_rank() OVER (ORDER BY salary DESC) FROM emp ORDER BY id;
