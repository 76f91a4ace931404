-- ORDER BY over several splits: each is sorted, one reducer merges.
-- MODES default: the plan depends on the mode
source data/tables.q;
SET logq.split.bytes=48;
EXPLAIN SELECT id, salary FROM emp ORDER BY salary DESC;
