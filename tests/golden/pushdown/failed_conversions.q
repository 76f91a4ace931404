-- A conversion can fail only where it is tried: not in the other columns of a row that a predicate has dropped.
-- FILE data/t/a
-- |1,x
-- |2,20
-- |y,z
CREATE EXTERNAL TABLE t (id INT, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/t';
SELECT id, n FROM t WHERE id > 1;
SELECT id, n FROM t WHERE id IS NULL;
SET logq.scan.pushdown=false;
SELECT id, n FROM t WHERE id > 1;
