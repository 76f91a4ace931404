-- A gzip file that lacks only its checksum.
-- FILE data/t/log.gz
-- |some line of a log
-- CUT data/t/log.gz 8
CREATE EXTERNAL TABLE t (x STRING) LOCATION 'data/t';
SELECT count(*) FROM t;
