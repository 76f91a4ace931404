-- EXPLAIN of an INSERT names the directory and writes nothing.
-- MODES default: the plan depends on the mode
source data/tables.q;
EXPLAIN INSERT OVERWRITE DIRECTORY 'out/x' SELECT edge, sum(bytes) FROM hits GROUP BY edge;
