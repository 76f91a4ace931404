-- LEFT SEMI JOIN: each left row at most once.
source data/tables.q;
SELECT d.title FROM dept d LEFT SEMI JOIN emp e ON d.id = e.dept ORDER BY d.title;
