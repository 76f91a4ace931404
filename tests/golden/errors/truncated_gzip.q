-- Half a gzip file: the job fails with the file, writes nothing, and the old output stays.
-- FILE data/t/log.gz
-- *50 |some line of a log
-- CUT data/t/log.gz 12
-- FILE out/x/000000_0
-- |old
CREATE EXTERNAL TABLE t (x STRING) LOCATION 'data/t';
INSERT OVERWRITE DIRECTORY 'out/x' SELECT x, count(*) FROM t GROUP BY x;
