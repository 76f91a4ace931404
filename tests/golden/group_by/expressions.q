-- GROUP BY an expression, used as such and inside another one in SELECT.
source data/tables.q;
SELECT substr(day, 9, 2), count(*) FROM hits GROUP BY substr(day, 9, 2);
SELECT bytes > 100, count(*), sum(bytes) + 1 FROM hits GROUP BY bytes > 100;
