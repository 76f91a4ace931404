-- TRANSFORM.
source data/tables.q;
SELECT TRANSFORM(id, name) USING 'cat' AS (a, b) FROM emp;
