-- A table of empty files has no rows, wherever it stands.
-- FILE data/t/t.csv
-- |1,a
-- |2,b
-- |2,c
-- |,d
-- FILE data/e/e.csv
CREATE EXTERNAL TABLE t (a INT, b STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/t';
CREATE EXTERNAL TABLE e (a INT, b STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/e';
SELECT count(*) FROM e;
SELECT b FROM t WHERE a NOT IN (SELECT a FROM e) ORDER BY b;
SELECT t.b, e.b FROM t LEFT JOIN e ON t.a = e.a ORDER BY t.b;
SELECT * FROM e ORDER BY a;
