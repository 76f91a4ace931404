-- A union has the names of its first part.
-- ARGS --header
SELECT 1 AS a, 2 AS b UNION ALL SELECT 3 AS x, 4 AS y;
