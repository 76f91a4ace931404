-- MINUS is another word for EXCEPT.
source data/tables.q;
SELECT k FROM (SELECT dept AS k FROM emp MINUS SELECT id AS k FROM dept) x ORDER BY k;
