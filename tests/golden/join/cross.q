-- CROSS JOIN, and a join without a condition.
source data/tables.q;
SELECT a.id, b.id FROM dept a CROSS JOIN dept b WHERE a.id < 30 ORDER BY a.id, b.id;
SELECT count(*) FROM emp JOIN dept;
