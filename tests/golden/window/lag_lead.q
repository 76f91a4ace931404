-- lag and lead, with offset and default.
source data/tables.q;
SELECT id, lag(id) OVER (ORDER BY id), lead(id, 2) OVER (ORDER BY id), lag(id, 1, 0) OVER (ORDER BY id),
  first_value(name) OVER (ORDER BY id), last_value(name) OVER (ORDER BY id) FROM emp ORDER BY id;
