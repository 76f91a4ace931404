-- A column that is not there, in WHERE, with its table's alias.
source data/tables.q;
SELECT e.id FROM emp e
WHERE e.salry > 3;
