-- `*` beside columns, twice, and qualified; names that are there twice are no error in a result.
-- ARGS --header
source data/tables.q;
SELECT *, id FROM dept ORDER BY id;
SELECT id, dept.* FROM dept ORDER BY id LIMIT 1;
SELECT *, dept.*, upper(title), id + 1 AS id FROM dept WHERE id = 10;
SELECT e.*, d.* FROM emp e JOIN dept d ON e.dept = d.id ORDER BY e.id LIMIT 1;
SELECT DISTINCT d.id, e.dept, d.id FROM emp e JOIN dept d ON e.dept = d.id ORDER BY d.id;
SELECT id, id FROM dept WHERE id = 10 UNION ALL SELECT d.* FROM (SELECT id, id AS id2 FROM dept) d WHERE id = 20;
-- Below a FROM names must differ, but not where the whole query is one star: Hive then shows the inner name.
SELECT * FROM (SELECT *, id FROM dept) d ORDER BY title;
SELECT * FROM (SELECT e.id, d.id, d.title FROM emp e JOIN dept d ON e.dept = d.id) j ORDER BY title LIMIT 1;
