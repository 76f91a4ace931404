-- ORDER BY: one reducer.
-- MODES default: the plan depends on the mode
source data/tables.q;
EXPLAIN SELECT id, salary FROM emp ORDER BY salary DESC;
