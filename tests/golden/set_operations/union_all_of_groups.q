-- Each branch of UNION ALL keeps the order of its groups.
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
SELECT a, count(*) FROM t GROUP BY a UNION ALL SELECT a, count(*) FROM u GROUP BY a;
