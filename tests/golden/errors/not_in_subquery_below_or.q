-- NOT IN (SELECT …) keeps its NULLs between ANDs only; below OR it is refused.
-- FILE data/t/t.csv
-- |1,a
-- |2,b
-- |2,c
-- |,d
-- FILE data/u/u.csv
-- |2,x
-- |3,y
CREATE EXTERNAL TABLE t (a INT, b STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY "," LOCATION "data/t";
CREATE EXTERNAL TABLE u (a INT, b STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY "," LOCATION "data/u";
SELECT b FROM t WHERE b <> 'z' AND a NOT IN (SELECT a FROM u) ORDER BY b;
SELECT b FROM t WHERE a IN (SELECT a FROM u) OR b = 'a' ORDER BY b;
SELECT b FROM t WHERE a NOT IN (SELECT a FROM u) OR b = 'a';
