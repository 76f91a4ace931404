-- ORDER BY an alias, a position, an expression, and a column that is not selected.
source data/tables.q;
SELECT name, salary * 2 AS twice FROM emp WHERE salary IS NOT NULL ORDER BY twice DESC, name;
SELECT name, id FROM emp ORDER BY 2 DESC;
SELECT name FROM emp ORDER BY id % 2, id;
SELECT name FROM emp ORDER BY id DESC;
