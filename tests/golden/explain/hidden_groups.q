-- Groups of which nobody sees the order are not sorted.
-- MODES default: the plan depends on the mode
source data/tables.q;
EXPLAIN SELECT count(*), sum(n), max(n), avg(n) FROM (SELECT day, count(*) n FROM hits GROUP BY day) x;
