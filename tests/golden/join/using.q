-- JOIN … USING shows the key once.
source data/tables.q;
SELECT * FROM (SELECT id, name FROM emp) a JOIN (SELECT id, title FROM dept) b USING (id);
SELECT * FROM (SELECT dept AS id, name FROM emp WHERE id < 3) a JOIN (SELECT id, title FROM dept) b USING (id) ORDER BY name;
