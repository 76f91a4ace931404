-- An inner join drops NULL keys on both sides.
source data/tables.q;
SELECT e.id, e.name, d.title FROM emp e JOIN dept d ON e.dept = d.id ORDER BY e.id;
SELECT e.id, d.title FROM emp e, dept d WHERE e.dept = d.id ORDER BY e.id;
