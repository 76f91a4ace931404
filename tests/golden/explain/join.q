-- A join and a group: stages and their dependencies.
-- MODES default: the plan depends on the mode
source data/tables.q;
EXPLAIN SELECT d.title, count(*) FROM emp e JOIN dept d ON e.dept = d.id GROUP BY d.title;
