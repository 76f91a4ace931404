-- GROUPING SETS with the empty set.
-- SORT_QUERY_RESULTS
source data/tables.q;
SELECT day, edge, count(*) FROM hits WHERE edge IS NOT NULL GROUP BY day, edge GROUPING SETS ((day), (edge), ());
