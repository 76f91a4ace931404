-- WITH: several, one that uses another, one used twice.
source data/tables.q;
WITH paid AS (SELECT * FROM emp WHERE salary IS NOT NULL),
  per_dept AS (SELECT dept, sum(salary) AS total FROM paid GROUP BY dept)
SELECT a.dept, a.total, b.total FROM per_dept a JOIN per_dept b ON a.dept = b.dept ORDER BY a.dept;
