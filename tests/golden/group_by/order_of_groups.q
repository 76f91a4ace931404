-- Groups come in ascending order of their keys, NULL first, strings bytewise, numbers as numbers.
source data/tables.q;
SELECT edge, count(*) FROM hits GROUP BY edge;
SELECT status, count(*) FROM hits GROUP BY status;
SELECT day, edge, sum(bytes) FROM hits GROUP BY day, edge;
