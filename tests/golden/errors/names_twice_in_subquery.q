-- Below a FROM two columns cannot have one name: Hive's error 10007. Nor can ORDER BY choose between two.
SET hive.cli.errors.ignore=true;
source data/tables.q;
SELECT d.title FROM (SELECT id, title, id FROM dept) d;
SELECT title FROM (SELECT *, id FROM dept) d;
SELECT title FROM (SELECT *, 1 AS id FROM dept) d;
SELECT title FROM (SELECT e.*, d.* FROM emp e JOIN dept d ON e.dept = d.id) j;
WITH w AS (SELECT id, upper(title) AS id FROM dept) SELECT count(*) FROM w;
CREATE VIEW v AS SELECT *, id FROM dept;
SELECT id FROM v;
SELECT *, -id AS id FROM dept ORDER BY id;
SELECT x.* FROM dept;
