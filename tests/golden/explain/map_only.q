-- A query without a shuffle is one map stage.
-- MODES default: the plan depends on the mode
source data/tables.q;
EXPLAIN SELECT id, name FROM emp WHERE salary > 4000;
