-- `<=>` joins NULL keys with each other.
source data/tables.q;
SELECT e.id, d.title FROM emp e JOIN dept d ON e.dept <=> d.id ORDER BY e.id;
