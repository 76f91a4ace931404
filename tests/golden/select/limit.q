-- LIMIT behind ORDER BY, LIMIT 0, a LIMIT over the end, and `LIMIT offset, rows`.
-- ARGS -S
source data/tables.q;
SELECT id FROM emp ORDER BY id LIMIT 2;
SELECT id FROM emp ORDER BY id LIMIT 0;
SELECT id FROM emp ORDER BY id LIMIT 100;
SELECT id FROM emp ORDER BY id LIMIT 2 OFFSET 1;
SELECT id FROM emp ORDER BY id LIMIT 4, 2;
