-- Conditions that are no equalities.
source data/tables.q;
SELECT a.id, b.id FROM emp a JOIN emp b ON a.salary < b.salary ORDER BY a.id, b.id;
SELECT a.id, b.id FROM emp a LEFT JOIN dept b ON a.dept > b.id ORDER BY a.id, b.id;
