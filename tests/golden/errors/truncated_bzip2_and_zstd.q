-- Half a bzip2 file, half a zstd file.
-- FILE data/b/log.bz2
-- *50 |some line of a log
-- CUT data/b/log.bz2 20
-- FILE data/z/log.zst
-- *50 |some line of a log
-- CUT data/z/log.zst 10
SET hive.cli.errors.ignore=true;
CREATE EXTERNAL TABLE b (x STRING) LOCATION 'data/b';
SELECT count(*) FROM b;
CREATE EXTERNAL TABLE z (x STRING) LOCATION 'data/z';
SELECT count(*) FROM z;
