-- WITH CUBE: every combination.
-- SORT_QUERY_RESULTS
source data/tables.q;
SELECT edge, status, count(*) FROM hits WHERE edge IS NOT NULL AND status IS NOT NULL GROUP BY edge, status WITH CUBE;
