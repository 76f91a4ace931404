-- A query without rows prints nothing and is no error; over no rows there is one global count.
source data/tables.q;
SELECT id FROM emp WHERE id > 100;
SELECT count(*), sum(id), max(name) FROM emp WHERE id > 100;
SELECT dept, count(*) FROM emp WHERE id > 100 GROUP BY dept;
