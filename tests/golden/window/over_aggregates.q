-- A window over groups: share of the total.
source data/tables.q;
SELECT edge, count(*) AS n, sum(count(*)) OVER () FROM hits GROUP BY edge ORDER BY edge;
