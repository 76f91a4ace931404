-- JSON lines: an object a line.
-- ARGS --format jsonl
source data/tables.q;
SELECT id, name, dept FROM emp WHERE id >= 4 ORDER BY id;
