-- count(DISTINCT …) of one column, of several, beside other aggregates; NULLs are not counted.
source data/tables.q;
SELECT count(DISTINCT edge), count(DISTINCT status), count(*) FROM hits;
SELECT day, count(DISTINCT edge), sum(bytes) FROM hits GROUP BY day;
SELECT count(DISTINCT edge, status) FROM hits;
SELECT sum(DISTINCT bytes) FROM hits;
