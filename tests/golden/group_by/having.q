-- HAVING over an aggregate, an alias and a key.
source data/tables.q;
SELECT edge, count(*) AS n FROM hits GROUP BY edge HAVING count(*) > 1;
SELECT edge, count(*) AS n FROM hits GROUP BY edge HAVING n > 1 AND edge <> 'LHR';
SELECT edge FROM hits GROUP BY edge HAVING max(bytes) > 1000;
