-- The same column twice, once with its table's name.
source data/tables.q;
SELECT name, emp.name FROM emp WHERE id = 1;
