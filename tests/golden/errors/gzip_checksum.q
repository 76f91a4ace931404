-- A gzip file with a wrong checksum.
-- FILE data/t/log.gz
-- |some line of a log
-- FLIP data/t/log.gz -6
CREATE EXTERNAL TABLE t (x STRING) LOCATION 'data/t';
SELECT count(*) FROM t;
