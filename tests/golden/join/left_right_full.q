-- Outer joins keep what finds no partner, NULL keys too.
source data/tables.q;
SELECT e.id, d.title FROM emp e LEFT JOIN dept d ON e.dept = d.id ORDER BY e.id;
SELECT e.id, d.title FROM emp e RIGHT OUTER JOIN dept d ON e.dept = d.id ORDER BY d.title, e.id;
SELECT e.id, d.title FROM emp e FULL OUTER JOIN dept d ON e.dept = d.id ORDER BY e.id, d.title;
