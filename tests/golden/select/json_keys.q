-- Keys of JSON are plain names, and Hive's `t.a` where two columns have one name.
-- ARGS --format jsonl
source data/tables.q;
SELECT * FROM dept WHERE id = 10;
SELECT d.*, e.id, e.name FROM emp e JOIN dept d ON e.dept = d.id ORDER BY e.id LIMIT 1;
