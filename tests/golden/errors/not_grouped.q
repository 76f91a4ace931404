-- A column that is neither grouped nor aggregated.
source data/tables.q;
SELECT name, count(*) FROM emp GROUP BY dept;
