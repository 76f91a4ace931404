-- Subqueries: IN, NOT IN, EXISTS, NOT EXISTS, in FROM.
source data/tables.q;
SELECT name FROM emp WHERE dept IN (SELECT id FROM dept WHERE title <> 'ops') ORDER BY name;
SELECT id FROM emp WHERE dept NOT IN (SELECT id FROM dept WHERE id IS NOT NULL) ORDER BY id;
SELECT id FROM emp WHERE dept NOT IN (SELECT id FROM dept) ORDER BY id;
SELECT title FROM dept d WHERE EXISTS (SELECT 1 FROM emp e WHERE e.dept = d.id) ORDER BY title;
SELECT title FROM dept d WHERE NOT EXISTS (SELECT 1 FROM emp e WHERE e.dept = d.id) ORDER BY title;
SELECT max(n) FROM (SELECT dept, count(*) AS n FROM emp GROUP BY dept) x;
