-- UNION ALL keeps duplicates, in the order of its parts.
source data/tables.q;
SELECT id FROM dept UNION ALL SELECT id FROM dept WHERE id = 10;
SELECT k, count(*) FROM (SELECT dept AS k FROM emp UNION ALL SELECT id AS k FROM dept) x GROUP BY k;
