-- INTERSECT and EXCEPT.
source data/tables.q;
SELECT k FROM (SELECT dept AS k FROM emp INTERSECT SELECT id AS k FROM dept) x ORDER BY k;
SELECT k FROM (SELECT id AS k FROM dept EXCEPT SELECT dept AS k FROM emp) x ORDER BY k;
