-- Two shuffles: counts of counts.
source data/tables.q;
SELECT n, count(*) FROM (SELECT edge, count(*) AS n FROM hits GROUP BY edge) x GROUP BY n;
