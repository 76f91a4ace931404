-- Table: a frame, numbers to the right.
-- ARGS --format table
source data/tables.q;
SELECT id, name, dept FROM emp WHERE id > 4 ORDER BY id;
