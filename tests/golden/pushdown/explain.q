-- What a scan takes over from WHERE is its filterExpr; columns that nothing else needs are not in its output.
-- MODES default: the plan depends on the mode
-- ARGS -S
source data/tables.q;
EXPLAIN SELECT id FROM emp WHERE salary > 4000 AND name LIKE 'A%' AND salary < 9000;
EXPLAIN SELECT e.id, d.title FROM emp e JOIN dept d ON e.dept = d.id WHERE e.salary > 4000 AND d.title = 'ops' OR e.id = d.id;
EXPLAIN SELECT day, n FROM (SELECT day, count(*) AS n FROM hits GROUP BY day) x WHERE day = '2014-07-05' AND n > 1;
EXPLAIN SELECT id FROM emp WHERE dept IS NOT NULL LIMIT 2;
SET logq.scan.pushdown=false;
EXPLAIN SELECT id FROM emp WHERE salary > 4000;
