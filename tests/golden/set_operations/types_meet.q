-- The parts of a union get a common type; int and string give string.
source data/tables.q;
SELECT k FROM (SELECT 1 AS k UNION ALL SELECT 2.5D AS k) x ORDER BY k;
SELECT id AS k FROM dept WHERE id = 10 UNION ALL SELECT title FROM dept WHERE id = 20;
