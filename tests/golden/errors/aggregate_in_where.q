-- An aggregate in WHERE.
source data/tables.q;
SELECT dept FROM emp WHERE count(*) > 1 GROUP BY dept;
