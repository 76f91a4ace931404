-- GROUP BY: partial groups in the map stage, a shuffle by the key, the rest in the reduce stage.
-- MODES default: the plan depends on the mode
source data/tables.q;
EXPLAIN SELECT edge, count(*) FROM hits WHERE status = 200 GROUP BY edge;
