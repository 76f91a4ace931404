-- EXPLAIN ANALYZE runs the query and adds tasks, attempts, rows and bytes to each stage.
-- MODES default: the plan depends on the mode
source data/tables.q;
EXPLAIN ANALYZE SELECT edge, count(*) FROM hits GROUP BY edge;
