-- ORDER BY a count, ties broken by the key.
source data/tables.q;
SELECT edge, count(*) AS n FROM hits GROUP BY edge ORDER BY n DESC, edge;
SELECT edge, sum(bytes) FROM hits GROUP BY edge ORDER BY sum(bytes) DESC LIMIT 2;
