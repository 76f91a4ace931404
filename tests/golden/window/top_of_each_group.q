-- The usual top-n of each group.
source data/tables.q;
SELECT day, edge, bytes FROM (
  SELECT day, edge, bytes, row_number() OVER (PARTITION BY day ORDER BY bytes DESC, edge) AS place FROM hits
) x WHERE place = 1 ORDER BY day;
