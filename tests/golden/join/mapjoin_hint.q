-- Hints of old scripts are read and change nothing.
source data/tables.q;
SELECT /*+ MAPJOIN(d) */ e.id, d.title FROM emp e JOIN dept d ON e.dept = d.id ORDER BY e.id;
