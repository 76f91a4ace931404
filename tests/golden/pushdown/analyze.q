-- EXPLAIN ANALYZE says what a scan left undone: columns, rows that it did not build, splits that a LIMIT made superfluous.
-- MODES default: the plan depends on the mode
-- ARGS -S
-- FILE data/t/a
-- |1,one
-- |2,two
-- FILE data/t/b
-- |3,three
-- FILE data/t/c.gz
-- |4,four
CREATE EXTERNAL TABLE t (id INT, word STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/t';
CREATE EXTERNAL TABLE r (a STRING, b STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\d+),(.*)") LOCATION 'data/t';
-- More threads may start more splits than a LIMIT needs.
SET logq.threads=1;
EXPLAIN ANALYZE SELECT word FROM t WHERE id > 2;
EXPLAIN ANALYZE SELECT word FROM t LIMIT 1;
EXPLAIN ANALYZE SELECT count(*) FROM r WHERE b LIKE 't%';
