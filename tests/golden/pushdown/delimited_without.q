-- The script `delimited` with predicates tried on whole rows: both have the same answer.
-- ARGS -S
-- FILE data/t/a
-- |1,edge-one,200,2014-07-05,1.5
-- |2,a text longer than a view,404,2014-07-06,2.5
-- |\N,,x,2014-02-30,
-- |4
-- |
-- |6,héllo wörld,500,2014-08-01,NaN
-- FILE data/t/b
-- |7,edge-one,200,2014-07-05,-1,too,many
-- |8,null,-,\N,1e3
CREATE EXTERNAL TABLE t (id INT, word STRING, status INT, day DATE, cost DOUBLE)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/t';
CREATE VIEW checks AS
SELECT id, word, status, day, cost, status >= 400 AS failed, concat(word, '/', id) AS name FROM t;
SET logq.scan.pushdown=false;
-- A column that is used in WHERE alone; all of a row; nothing of it.
SELECT word FROM t WHERE status = 200;
SELECT * FROM t WHERE day BETWEEN '2014-07-05' AND '2014-07-31';
SELECT count(*) FROM t WHERE word LIKE '%e%';
SELECT count(*), count(id), count(word) FROM t WHERE cost > 1;
-- NULL is neither true nor false.
SELECT id FROM t WHERE NOT (status = 200);
SELECT id FROM t WHERE status IS NULL;
SELECT id, word FROM t WHERE word IS NOT NULL AND id IS NULL;
SELECT id FROM t WHERE status <=> NULL OR day <=> CAST('2014-08-01' AS DATE);
-- Several columns, in one condition and in one after the other.
SELECT id, cost FROM t WHERE id < status AND cost < id AND word <> 'x';
SELECT id FROM t WHERE status IN (404, 500) OR word IN ('edge-one') AND cost < 0;
SELECT id FROM t WHERE CASE WHEN status > 300 THEN length(word) ELSE id END > 6;
SELECT id, id FROM t WHERE upper(word) RLIKE '^EDGE' AND substr(word, 6, 3) = 'one';
SELECT word, day FROM t WHERE status > 1000;
SELECT id FROM t WHERE true AND status > 1000 OR 1 = 1;
-- Through views, subqueries, unions, groups and joins.
SELECT name FROM checks WHERE failed;
SELECT x.n FROM (SELECT word, count(*) AS n FROM t GROUP BY word) x WHERE x.word = 'edge-one' AND x.n > 1;
SELECT id FROM (SELECT id, status AS s FROM t UNION ALL SELECT id + 100, status FROM t) u WHERE s = 200 ORDER BY id;
SELECT a.id, b.id FROM t a JOIN t b ON a.word = b.word WHERE a.id < b.id AND a.status = 200 ORDER BY a.id;
SELECT a.id, b.id FROM t a LEFT JOIN t b ON a.word = b.word AND b.cost > 0 WHERE a.status = 200 ORDER BY a.id, b.id;
SELECT id FROM t WHERE status IN (SELECT status FROM t WHERE id = 2);
SELECT id FROM t WHERE cost > (SELECT min(cost) FROM t WHERE status = 200) ORDER BY id;
-- A LIMIT counts the rows that are left; one inside counts those before.
SELECT id FROM t WHERE status >= 200 LIMIT 3;
SELECT id FROM (SELECT id, status FROM t LIMIT 3) x WHERE status >= 200;
