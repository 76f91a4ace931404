-- WITH ROLLUP and ROLLUP(…): subtotals have NULL keys.
-- SORT_QUERY_RESULTS
source data/tables.q;
SELECT day, edge, count(*), sum(bytes) FROM hits WHERE edge IS NOT NULL GROUP BY day, edge WITH ROLLUP;
