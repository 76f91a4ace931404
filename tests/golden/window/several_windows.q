-- Several windows over one table: orders that contain each other, NULLS LAST above a window, constant keys, frames that slide.
-- FILE data/t/a.txt
-- |1,a,1
-- |2,a,3
-- |3,b,2
-- |4,a,2
-- |5,\N,4
CREATE EXTERNAL TABLE t (id INT, a STRING, b INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/t';
SELECT id, row_number() OVER (PARTITION BY a ORDER BY b DESC), count(*) OVER (PARTITION BY a, b) FROM t ORDER BY id;
SELECT a, row_number() OVER (PARTITION BY a ORDER BY b) FROM t ORDER BY a NULLS LAST;
SELECT id, row_number() OVER (PARTITION BY a ORDER BY b), sum(b) OVER (ORDER BY a NULLS LAST, b) FROM t ORDER BY id;
SELECT id, sum(id) OVER (PARTITION BY a), row_number() OVER (ORDER BY id DESC) FROM t WHERE a = 'a' ORDER BY id;
SELECT id, count(*) OVER (PARTITION BY k ORDER BY id), rank() OVER (ORDER BY b) FROM (SELECT id, b, 'x' AS k FROM t) q ORDER BY id;
SELECT id, stddev(b) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), corr(id, b) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM t ORDER BY id;
