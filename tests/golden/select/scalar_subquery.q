-- A scalar subquery in WHERE and in SELECT.
source data/tables.q;
SELECT name FROM emp WHERE salary = (SELECT max(salary) FROM emp) ORDER BY name;
SELECT id, salary - (SELECT min(salary) FROM emp) FROM emp ORDER BY id;
