-- Hive's header has the table's alias for `*` and `t.a`, not for `a`; hive.resultset.use.unique.column.names=false leaves it out.
source data/tables.q;
SET hive.cli.print.header=true;
SELECT * FROM dept WHERE id = 10;
SELECT id, d.title, d.title AS t, upper(d.title) FROM default.dept d WHERE id = 10;
WITH w AS (SELECT id FROM dept) SELECT w.*, s.one FROM w JOIN (SELECT 1 AS one) s WHERE id = 10;
SELECT d.id, count(*) FROM dept d GROUP BY d.id ORDER BY id LIMIT 1;
CREATE VIEW titles AS SELECT * FROM dept;
SELECT * FROM titles WHERE id = 10;
SELECT x.s.a, s.b FROM (SELECT named_struct('a', 1, 'b', 2) AS s) x;
SELECT * FROM dept WHERE id = 10 UNION ALL SELECT * FROM dept WHERE id = 20;
SET hive.resultset.use.unique.column.names=false;
SELECT *, dept.title FROM dept WHERE id = 10;
