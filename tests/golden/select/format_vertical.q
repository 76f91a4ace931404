-- Vertical: a line for each column.
-- ARGS --format vertical
source data/tables.q;
SELECT id, name, dept FROM emp WHERE id > 4 ORDER BY id;
