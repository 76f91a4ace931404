-- A column of two tables.
source data/tables.q;
SELECT id FROM emp JOIN dept ON emp.dept = dept.id;
