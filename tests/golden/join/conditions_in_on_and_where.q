-- A condition in ON keeps the left row, one in WHERE drops it.
source data/tables.q;
SELECT e.id, d.title FROM emp e LEFT JOIN dept d ON e.dept = d.id AND d.title = 'ops' ORDER BY e.id;
SELECT e.id, d.title FROM emp e LEFT JOIN dept d ON e.dept = d.id WHERE d.title = 'ops' ORDER BY e.id;
SELECT e.id FROM emp e LEFT JOIN dept d ON e.dept = d.id WHERE d.id IS NULL ORDER BY e.id;
