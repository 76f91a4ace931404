-- Hive's names: `_c0` and on for expressions, the column's own for columns, the alias in lower case.
-- ARGS --header
source data/tables.q;
SELECT id, id + 1, ID AS Two, name FROM emp WHERE id = 1;
SELECT 1, 'a', upper('b') up;
SELECT id, _c1 FROM (SELECT id, salary * 2 FROM emp WHERE id = 1) e;
