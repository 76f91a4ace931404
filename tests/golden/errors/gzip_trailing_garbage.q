-- Bytes behind the end of a gzip file.
-- FILE data/t/log.gz
-- |row
-- APPEND data/t/log.gz trailing\x0a
CREATE EXTERNAL TABLE t (x STRING) LOCATION 'data/t';
SELECT count(*) FROM t;
