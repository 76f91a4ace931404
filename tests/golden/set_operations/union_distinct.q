-- UNION and UNION DISTINCT remove duplicates; NULLs are alike.
source data/tables.q;
SELECT k FROM (SELECT dept AS k FROM emp UNION SELECT id AS k FROM dept) x ORDER BY k;
SELECT dept AS k FROM emp UNION DISTINCT SELECT id FROM dept ORDER BY k;
