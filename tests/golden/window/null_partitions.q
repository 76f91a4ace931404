-- Partitions come in the order of their keys, NULL last (first in Hive); constant keys; windows over groups.
-- FILE data/t/a.txt
-- |b,1
-- |\N,5
-- |a,2
-- |b,3
-- |\N,4
-- |a,7
CREATE EXTERNAL TABLE t (k STRING, v INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/t';
SELECT k, v, sum(v) OVER (PARTITION BY k) FROM t;
SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY v DESC) FROM t;
SELECT k, v, sum(v) OVER (PARTITION BY k ORDER BY v), rank() OVER (PARTITION BY k, v ORDER BY v) FROM t;
SELECT k, v, sum(v) OVER (PARTITION BY k ORDER BY v ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t WHERE k = 'a';
SELECT k, sum(v) OVER (PARTITION BY k) FROM t WHERE k = 'b';
SELECT k, count(*), sum(count(*)) OVER () FROM t GROUP BY k;
SELECT k, count(*), rank() OVER (ORDER BY sum(v) DESC) FROM t GROUP BY k;
SELECT k, max(v), sum(sum(v)) OVER (PARTITION BY k IS NULL) FROM t GROUP BY k;
